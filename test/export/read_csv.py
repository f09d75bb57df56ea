"""Prints a CSV file as JSON, a list of maps by column: python read_csv.py FILE"""

import csv
import json
import sys

with open(sys.argv[1], newline="", encoding="utf-8") as file:
    print(json.dumps(list(csv.DictReader(file, strict=True))))
