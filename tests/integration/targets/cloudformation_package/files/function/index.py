"""A function for the test of the package."""


def handler(event, context):
    return "done"
