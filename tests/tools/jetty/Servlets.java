import java.io.IOException;
import javax.servlet.http.HttpServlet;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.handler.ContextHandlerCollection;
import org.eclipse.jetty.servlet.ServletContextHandler;
import org.eclipse.jetty.servlet.ServletHolder;

/** Servlets that say which they are, each in a context of its own, as Dicoogle mounts its own. */
public class Servlets {
  public static void main(String[] mappings) throws Exception {
    Server server = new Server();
    ServerConnector connector = new ServerConnector(server);
    connector.setHost("127.0.0.1");
    server.addConnector(connector);
    Handler[] handlers = new Handler[mappings.length];
    for (int i = 0; i < mappings.length; i++) {
      handlers[i] = handler(mappings[i]);
    }
    ContextHandlerCollection contexts = new ContextHandlerCollection();
    contexts.setHandlers(handlers);
    server.setHandler(contexts);
    server.start();
    System.out.println(connector.getLocalPort());
    server.join();
  }

  private static Handler handler(final String mapping) {
    ServletContextHandler handler = new ServletContextHandler(ServletContextHandler.SESSIONS);
    handler.setContextPath("/");
    handler.addServlet(new ServletHolder(new HttpServlet() {
      @Override
      protected void service(HttpServletRequest request, HttpServletResponse response)
          throws IOException {
        response.setHeader("Reached", request.getMethod() + " " + mapping);
      }
    }), mapping);
    return handler;
  }
}
