#!/usr/bin/env python3
"""Renews crates/core/data/prices.toml from the public offer files of AWS's price list (no account needed).

    tools/prices/renew.py                  show what would change
    tools/prices/renew.py --write          write it, with today's date
    tools/prices/renew.py --add mx-central-1 --write

Reads for each region of the list the offers AmazonECS (Fargate), AmazonS3 (requests, retrieval), AmazonVPC (public
addresses) and AWSDataTransfer (egress), some 100 MB in all. The format is that of
https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/bulk-api-reading-price-list-files.html .

A row that the offers do not have, or have more than one price of, stays as it is, keeps its date, and is named on stderr.
No price is ever guessed, and none is 0 (but retrieval where there is no charge for it). NAT gateways and Spot are in none
of these offers: their rows are kept. Python 3.11 or later, its standard library alone.
"""

import argparse
import datetime
import difflib
import json
import pathlib
import re
import sys
import tomllib
import urllib.error
import urllib.request
from decimal import Decimal, InvalidOperation

OFFERS = "https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws"
LIST = pathlib.Path(__file__).resolve().parents[2] / "crates/core/data/prices.toml"
# What an offer file must not exceed, and how long a server may be silent.
MOST_BYTES = 1 << 30
SILENCE_S = 120
# A price that changed by more than this factor is written, and named: it may be a misreading.
SUSPICIOUS = 2

# Usage types behind the region's prefix (`EUC1-`, `EU-`; us-east-1 has none in some offers).
FARGATE = {
    "x86_64": ("Fargate-vCPU-Hours:perCPU", "Fargate-GB-Hours"),
    "arm64": ("Fargate-ARM-vCPU-Hours:perCPU", "Fargate-ARM-GB-Hours"),
}
STORAGE = "Fargate-EphemeralStorage-GB-Hours"
ADDRESS = "PublicIPv4:InUseAddress"
# LIST and PUT, GET, retrieval (none: it costs nothing).
S3 = {
    "STANDARD": ("Requests-Tier1", "Requests-Tier2", ()),
    "INTELLIGENT_TIERING": ("Requests-INT-Tier1", "Requests-INT-Tier2", ()),
    "STANDARD_IA": ("Requests-SIA-Tier1", "Requests-SIA-Tier2", ("Retrieval-SIA",)),
    "ONEZONE_IA": ("Requests-ZIA-Tier1", "Requests-ZIA-Tier2", ("Retrieval-ZIA",)),
    "GLACIER_IR": ("Requests-GIR-Tier1", "Requests-GIR-Tier2", ("Retrieval-GIR", "Retrieval-SIA-GIR")),
}

# The tables in the order of the file: what stands above each, what identifies a row, and its prices.
TABLES = {
    "fargate": (
        "Per task; a GB of memory is 1,024 MiB. `capacity = \"spot\"` is a price of Spot.",
        ("region", "arch", "capacity"),
        ("usd_per_vcpu_hour", "usd_per_gb_hour"),
    ),
    "fargate_storage": ("Ephemeral storage of a task beyond the first 20 GiB, which are free.", ("region",), ("usd_per_gb_hour",)),
    "public_ipv4": ("The public address of a task, where it has one.", ("region",), ("usd_per_hour",)),
    "s3": (
        "Requests; PUT is sold at LIST's price. A row without a price of LIST has that of STANDARD in its region.",
        ("region", "storage_class"),
        ("usd_per_1000_get", "usd_per_1000_list", "usd_per_gb_retrieved"),
    ),
    "egress": (
        "Bytes that leave the bucket's region, for each GB of 2^30 bytes: the price of a month's first terabytes, without the\n"
        "# free 100 GB. To another region: the highest price to any.",
        ("region", "to"),
        ("usd_per_gb",),
    ),
    "nat": (
        "What a NAT gateway adds to each GB that is fetched through it; a gateway endpoint for S3 costs nothing.",
        ("region",),
        ("usd_per_gb",),
    ),
}


class Unknown(Exception):
    """A price that an offer does not say."""


class Offer:
    """One offer file: prices by usage type."""

    def __init__(self, text, name):
        document = json.loads(text)
        self.name = name
        self.published = str(document.get("publicationDate", ""))[:10]
        self.products = document.get("products", {})
        self.terms = document.get("terms", {}).get("OnDemand", {})
        if not self.products or not self.terms:
            raise ValueError(f"{name} is not an offer file: it has no products or no terms")

    def source(self):
        return f"{self.name} offer file published {self.published}"

    def price(self, usage, **attributes):
        """The one price of this usage type, in USD per unit: of the lowest tier that costs something."""
        return self.one(usage, self.prices(lambda found: is_usage(found, usage), attributes))

    def one(self, usage, prices):
        if not prices:
            raise Unknown(f"{self.name} has no price of {usage}")
        if len(prices) > 1:
            raise Unknown(f"{self.name} has several prices of {usage}: {', '.join(map(plain, sorted(prices)))}")
        return prices.pop()

    def prices(self, matches, attributes):
        found = set()
        for sku, product in self.products.items():
            own = product.get("attributes", {})
            if not matches(own.get("usagetype", "")) or any(own.get(name) != value for name, value in attributes.items()):
                continue
            for term in self.terms.get(sku, {}).values():
                found.update(first_tier(term.get("priceDimensions", {}).values()))
        return found


def is_usage(found, usage):
    return re.fullmatch(rf"(?:[A-Z]{{2,4}}[0-9]?-)?{re.escape(usage)}", found) is not None


def first_tier(dimensions):
    """The price of the lowest tier that is not free, none when all are."""
    paid = []
    for dimension in dimensions:
        try:
            usd = Decimal(dimension["pricePerUnit"]["USD"])
            begin = Decimal(dimension.get("beginRange") or 0)
        except (KeyError, TypeError, InvalidOperation):
            continue
        if usd.is_finite() and usd > 0:
            paid.append((begin, usd))
    return [min(paid)[1]] if paid else []


def rows_of(region, offer):
    """Every row that the offers have of a region: table, row, or why there is none. `offer` gives one by its name."""
    for arch, (vcpu, memory) in FARGATE.items():
        yield from row("fargate", {"region": region, "arch": arch}, offer("AmazonECS"), {
            "usd_per_vcpu_hour": lambda ecs, vcpu=vcpu: ecs.price(vcpu),
            "usd_per_gb_hour": lambda ecs, memory=memory: ecs.price(memory),
        })
    yield from row("fargate_storage", {"region": region}, offer("AmazonECS"), {"usd_per_gb_hour": lambda ecs: ecs.price(STORAGE)})
    yield from row("public_ipv4", {"region": region}, offer("AmazonVPC"), {"usd_per_hour": lambda vpc: vpc.price(ADDRESS)})
    for name, (listing, get, retrieval) in S3.items():
        yield from row("s3", {"region": region, "storage_class": name}, offer("AmazonS3"), {
            "usd_per_1000_get": lambda s3, get=get: s3.price(get) * 1000,
            "usd_per_1000_list": lambda s3, listing=listing: s3.price(listing) * 1000,
            "usd_per_gb_retrieved": lambda s3, retrieval=retrieval: retrieved(s3, retrieval),
        })
    yield from row("egress", {"region": region, "to": "internet"}, offer("AWSDataTransfer"), {
        "usd_per_gb": lambda transfer: transfer.price(
            "DataTransfer-Out-Bytes", fromRegionCode=region, transferType="AWS Outbound", toLocation="External"
        ),
    })
    yield from row("egress", {"region": region, "to": "region"}, offer("AWSDataTransfer"), {
        "usd_per_gb": lambda transfer: between_regions(transfer, region),
    })


def row(table, key, offer, prices):
    try:
        yield table, {**key, **{name: price(offer) for name, price in prices.items()}, "source": offer.source()}, None
    except Unknown as why:
        yield table, key, str(why)


def retrieved(offer, usages):
    if not usages:
        return Decimal("0.0")
    found = [offer.prices(lambda name, usage=usage: is_usage(name, usage), {}) for usage in usages]
    return offer.one(usages[0], set().union(*found))


def between_regions(offer, region):
    own = {"fromRegionCode": region, "transferType": "InterRegion Outbound", "toLocationType": "AWS Region"}
    prices = offer.prices(lambda name: name.endswith("-AWS-Out-Bytes"), own)
    if not prices:
        raise Unknown(f"{offer.name} has no price of transfer from {region} to another region")
    return max(prices)


def plain(number):
    """A number as TOML writes it, without an exponent and without zeros that say nothing."""
    text = f"{Decimal(number):f}"
    if "." in text:
        text = text.rstrip("0")
    return text + "0" if text.endswith(".") else text


def identity(table, found):
    return tuple(found.get(name, "on-demand" if name == "capacity" else "") for name in TABLES[table][1])


def merge(old, new, dated):
    """The old list with every new row in the place of the old one; what was not renewed keeps its date."""
    tables = {}
    for table in TABLES:
        rows = {identity(table, found): {**found, "dated": found.get("dated", old["dated"])} for found in old.get(table, [])}
        rows.update({identity(table, found): {**rows.get(identity(table, found), {}), **found, "dated": dated} for found in new.get(table, [])})
        for found in rows.values():
            if found["dated"] == dated:
                del found["dated"]
        tables[table] = list(rows.values())
    return {"dated": dated, **tables}


def render(document, head):
    """The list as text: `head` is what stands above the date."""
    lines = [head.rstrip("\n"), "", f'dated = "{document["dated"]}"']
    for table, (about, keys, prices) in TABLES.items():
        lines += ["", f"# {about}"]
        for found in document.get(table, []):
            lines += ["", f"[[{table}]]"]
            for name in (*keys, *prices, "source", "dated", "note"):
                if name in found:
                    lines.append(f"{name} = {plain(found[name]) if name in prices else json.dumps(found[name], ensure_ascii=False)}")
    return "\n".join(lines) + "\n"


def suspicious(old, new):
    """Prices that changed by more than a factor of SUSPICIOUS."""
    for table, (_, _, prices) in TABLES.items():
        before = {identity(table, found): found for found in old.get(table, [])}
        for found in new.get(table, []):
            known = before.get(identity(table, found), {})
            for name in prices:
                one, other = known.get(name), found.get(name)
                if one and other and not (Decimal(1) / SUSPICIOUS <= Decimal(other) / Decimal(one) <= SUSPICIOUS):
                    yield f"{table} {' '.join(identity(table, found))}: {name} {plain(one)} -> {plain(other)}: check this one"


def read(base, offer, region):
    place = f"{base}/{offer}/current/{region}/index.json"
    if not base.startswith("https://"):
        return pathlib.Path(place).read_bytes()
    with urllib.request.urlopen(place, timeout=SILENCE_S) as answer:
        text = answer.read(MOST_BYTES + 1)
    if len(text) > MOST_BYTES:
        raise ValueError(f"{place} has more than {MOST_BYTES} bytes")
    return text


def renewed(base, regions):
    """New rows by table, and what the offers do not have."""
    new, missing = {table: [] for table in TABLES}, []
    for region in regions:
        read_already = {}

        def offer(name, region=region, read_already=read_already):
            if name not in read_already:
                read_already[name] = Offer(read(base, name, region), f"{name} {region}")
            return read_already[name]

        for table, found, why in rows_of(region, offer):
            if why is None:
                new[table].append(found)
            else:
                missing.append(f"{table} {' '.join(part for part in identity(table, found) if part)}: {why}")
    return new, missing


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--list", type=pathlib.Path, default=LIST, help="the list to renew (crates/core/data/prices.toml)")
    parser.add_argument("--offers", default=OFFERS, help="where the offer files are: AWS, or a folder of the same form")
    parser.add_argument("--add", action="append", default=[], metavar="REGION", help="take a region in that the list does not have")
    parser.add_argument("--date", default=datetime.date.today().isoformat(), help="the day to write (today)")
    parser.add_argument("--write", action="store_true", help="write the list; without it only the difference is shown")
    settings = parser.parse_args(arguments)
    datetime.date.fromisoformat(settings.date)
    before = settings.list.read_text(encoding="utf-8")
    old = tomllib.loads(before, parse_float=Decimal)
    regions = list(dict.fromkeys([found["region"] for found in old.get("fargate", [])] + settings.add))
    try:
        new, missing = renewed(settings.offers, regions)
    except (OSError, ValueError, urllib.error.URLError) as error:
        print(f"renew.py: {error}; nothing was changed", file=sys.stderr)
        return 1
    after = render(merge(old, new, settings.date), before[: before.index("\ndated = ")])
    for line in [*(f"not renewed: {line}" for line in missing), *suspicious(old, new)]:
        print(line, file=sys.stderr)
    names = (f"a/{settings.list.name}", f"b/{settings.list.name}")
    sys.stdout.writelines(difflib.unified_diff(before.splitlines(True), after.splitlines(True), *names))
    if settings.write:
        settings.list.write_text(after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
