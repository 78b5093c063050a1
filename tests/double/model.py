# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Patients, studies and series of the images that a search found; the first image counts."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Patient:
    """A patient, by their ID, or by name without one."""

    identity: str
    name: str
    sex: str
    birth_date: str
    studies: list[Study] = field(default_factory=list)


@dataclass
class Study:
    """A study of a patient."""

    patient: Patient
    uid: str
    identity: str
    date: str
    time: str
    accession: str
    description: str
    institution: str
    series: list[Series] = field(default_factory=list)


@dataclass
class Series:
    """A series of a study."""

    study: Study
    uid: str
    modality: str
    number: int
    description: str
    date: str
    protocol: str
    images: list[dict[str, str]] = field(default_factory=list)


def whole_number(text: str) -> int:
    """Return a number, 0 for anything else."""
    try:
        return int(float(text))
    except ValueError:
        return 0


def patients(found: list[dict[str, str]]) -> list[Patient]:
    """Sort images by patient, study and series."""
    sorted_: dict[str, Patient] = {}
    for image in found:

        def text(name: str, image: dict[str, str] = image) -> str:
            return image.get(name, "").strip()

        key = text("PatientID") or text("PatientName")
        patient = sorted_.setdefault(
            key,
            Patient(
                text("PatientID"),
                text("PatientName"),
                text("PatientSex"),
                text("PatientBirthDate"),
            ),
        )
        study = next((e for e in patient.studies if e.uid == text("StudyInstanceUID")), None)
        if study is None:
            study = Study(
                patient,
                text("StudyInstanceUID"),
                text("StudyID"),
                text("StudyDate"),
                text("StudyTime"),
                text("AccessionNumber"),
                text("StudyDescription"),
                text("InstitutionName"),
            )
            patient.studies.append(study)
        series = next((e for e in study.series if e.uid == text("SeriesInstanceUID")), None)
        if series is None:
            series = Series(
                study,
                text("SeriesInstanceUID"),
                text("Modality"),
                whole_number(text("SeriesNumber")),
                text("SeriesDescription"),
                text("SeriesDate"),
                text("ProtocolName"),
            )
            study.series.append(series)
        series.images.append(image)
    return list(sorted_.values())
