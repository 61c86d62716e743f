"""Small raw files as agencies hand them out: police, municipality, register. All invented."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import openpyxl
import pandas as pd
import pyreadstat

N_PEOPLE = 40
SECRET_NAME = "Hemligsson"
STREET = "Hemliggatan"
CLIENT = "klient 4711"


def identity_number(number: int) -> str:
    """A number of nobody's (Skatteverket's test series 980 to 999); even ones are women's."""
    year, month, day = 1950 + number % 50, 1 + number % 12, 1 + number % 28
    digits = f"{year % 100:02d}{month:02d}{day:02d}{980 + number % 20}"
    doubled = [int(one) * (2 - place % 2) for place, one in enumerate(digits)]
    check = -sum(one // 10 + one % 10 for one in doubled) % 10
    return f"{year}{digits[2:6]}-{digits[6:]}{check}"


def write_police(folder: Path, year: int = 2013) -> Path:
    """Reports and measures as semicolon text in Windows-1252, dates with a time of day."""
    reports = [
        "Diarienummer;Målsägande;Misstänkt;Målsägande namn;Anmälningsdatum;"
        "Brottskod;Relation;Heder;Kommun"
    ]
    measures = ["Beslutsnummer;Målsägande;Åtgärd;Beslutsdatum;Beslut;Från;Till;Anteckning"]
    relations = ["Make/maka", "Före detta partner", "Förälder"]
    for one in range(N_PEOPLE):
        day = dt.date(year, 1, 3) + dt.timedelta(days=7 * one)
        victim, suspect = identity_number(one), identity_number(100 + one)
        reports.append(
            f"0105-K{one:05d}-{year % 100};{victim};{suspect};{SECRET_NAME} {one};"
            f"{day} 08:{one:02d};{'0412' if one % 2 else '9353'};{relations[one % 3]};"
            f"{'Ja' if one % 5 == 0 else 'Nej'};{'0180' if one % 2 else '0126'}"
        )
        start = day + dt.timedelta(days=3)
        end = "9999-12-31" if one % 4 == 0 else str(start + dt.timedelta(days=180))
        measures.append(
            f"B{one};{victim};{'Kontaktförbud' if one % 2 else 'Säkerhetssamtal'};{day};"
            f"Bifall;{start:%Y%m%d};{end};Ringde {SECRET_NAME} {one} om kvällen"
        )
    (folder / f"anmalningar_{year}.csv").write_bytes("\r\n".join(reports).encode("cp1252"))
    (folder / f"atgarder_{year}.csv").write_bytes("\r\n".join(measures).encode("cp1252"))
    return folder


def write_municipality(path: Path) -> Path:
    """Interventions as an Excel sheet under a title, dates as Excel's own and as text."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Insatser"
    sheet.append(["Socialförvaltningen, beslut om insatser"])
    sheet.merge_cells("A1:H1")
    sheet.append([])
    sheet.append(
        [
            "Beslut id",
            "Personnummer",
            "Adress",
            "Insats",
            "Beslutsdatum",
            "Fr.o.m.",
            "T.o.m.",
            "Kommunkod",
        ]
    )
    for one in range(0, N_PEOPLE, 2):
        day = dt.datetime(2013, 1, 5) + dt.timedelta(days=7 * one)
        end = f"{1 + one % 28}.{1 + one % 12}.2014" if one % 4 else "-"
        sheet.append(
            [
                one,
                identity_number(one),
                f"{STREET} {one}",
                "Skyddat boende" if one % 4 else "Stödsamtal",
                day,
                day,
                end,
                126,
            ]
        )
    book.create_sheet("Läs mig").append(["Utdrag ur verksamhetssystemet"])
    book.save(path)
    return path


def add_clients(path: Path) -> Path:
    """The municipality's own people on a sheet beside, one of them without an identity number."""
    book = openpyxl.load_workbook(path)
    book["Insatser"].append(
        [N_PEOPLE, CLIENT, STREET, "Stödsamtal", *[dt.datetime(2013, 5, 2)] * 2, "-", 180]
    )
    sheet = book.create_sheet("Klienter")
    sheet.append(["Personnummer", "Namn", "Födelseår", "Kön", "Kommunkod"])
    for one in range(0, N_PEOPLE, 2):
        sheet.append([identity_number(one), SECRET_NAME, 1950 + one % 50, "Kvinna", 180])
    sheet.append([CLIENT, SECRET_NAME, 1971, "Kvinna", 180])
    book.save(path)
    return path


def write_register(path: Path) -> Path:
    """People as an SPSS file: figures as codes with their labels, 9 declared missing."""
    people = [*range(N_PEOPLE), *range(100, 100 + N_PEOPLE)]
    frame = pd.DataFrame(
        {
            "PersonNr": [identity_number(one) for one in people],
            "FodelseAr": [float(1950 + one % 50) for one in people],
            "Kon": [9.0 if one == 7 else 2.0 - one % 2 for one in people],
            "Kommun": [126.0 if one % 2 else 180.0 for one in people],
            "DodDatum": [dt.date(2015, 5, 1) if one == 3 else None for one in people],
        }
    )
    labels = {"Kon": {1.0: "Man", 2.0: "Kvinna", 9.0: "Uppgift saknas"}}
    pyreadstat.write_sav(
        frame, str(path), variable_value_labels=labels, missing_ranges={"Kon": [9]}
    )
    return path
