"""Do what curl would; the server that is documented on port 8000 is on $PORT here."""

import argparse
import os
import sys

import httpx

parser = argparse.ArgumentParser()
parser.add_argument("url")
parser.add_argument("-H", "--header", dest="headers", action="append", default=[])
parser.add_argument("-d", "--data")
parser.add_argument("-s", "--silent", action="store_true")
parser.add_argument("-o", "--output")
parser.add_argument("-w", "--write-out", choices=["%{http_code}", "%{http_code}\\n"])
arguments = parser.parse_args()

url = arguments.url.removeprefix("http://").replace("localhost:8000", f"127.0.0.1:{os.environ['PORT']}")
response = httpx.request(
    "GET" if arguments.data is None else "POST",
    f"http://{url}",
    headers=dict(header.split(": ", 1) for header in arguments.headers),
    content=arguments.data,
)
if arguments.output is None:
    sys.stdout.write(response.text)
if arguments.write_out:
    print(response.status_code)
