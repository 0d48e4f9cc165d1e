"""renew.py against small offer files in AWS's format (samples/, made by hand: no network is needed, and none was at hand when it was written)."""

import contextlib
import io
import json
import pathlib
import shutil
import tempfile
import tomllib
import unittest
from decimal import Decimal

import renew

HERE = pathlib.Path(__file__).resolve().parent
SAMPLES = HERE / "samples"
OLD = '''# Head of the file.

dated = "2026-01-31"

# Whatever stands here is written anew.

[[fargate]]
region = "us-east-1"
arch = "x86_64"
usd_per_vcpu_hour = 0.01
usd_per_gb_hour = 0.004445
source = "somebody's page"
note = "kept"

[[fargate]]
region = "eu-central-1"
arch = "x86_64"
usd_per_vcpu_hour = 0.04656
usd_per_gb_hour = 0.00511
source = "somebody's page"

[[fargate]]
region = "us-east-1"
arch = "x86_64"
capacity = "spot"
usd_per_vcpu_hour = 0.012
usd_per_gb_hour = 0.0013
source = "seen that day"

[[s3]]
region = "eu-central-1"
storage_class = "GLACIER_IR"
usd_per_1000_get = 0.011
usd_per_gb_retrieved = 0.031
source = "somebody's page"

[[nat]]
region = "us-east-1"
usd_per_gb = 0.045
source = "somebody's page"
dated = "2025-12-01"
'''


class Renew(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.list = self.folder / "prices.toml"
        self.list.write_text(OLD, encoding="utf-8")

    def run_it(self, *more, offers=SAMPLES):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = renew.main(["--list", str(self.list), "--offers", str(offers), "--date", "2026-11-25", *more])
        return code, out.getvalue(), err.getvalue()

    def rows(self):
        document = tomllib.loads(self.list.read_text(encoding="utf-8"), parse_float=Decimal)
        return document, {(table, *renew.identity(table, row)): row for table in renew.TABLES for row in document.get(table, [])}

    def test_the_difference_is_shown_and_nothing_written(self):
        code, out, err = self.run_it()
        self.assertEqual((code, self.list.read_text(encoding="utf-8")), (0, OLD))
        self.assertIn('-dated = "2026-01-31"\n+dated = "2026-11-25"\n', out)
        self.assertIn("-usd_per_vcpu_hour = 0.01\n+usd_per_vcpu_hour = 0.04048\n", out)
        self.assertIn("fargate us-east-1 x86_64 on-demand: usd_per_vcpu_hour 0.01 -> 0.04048: check this one", err)
        self.assertIn("not renewed: s3 eu-central-1 GLACIER_IR: AmazonS3 eu-central-1 has no price of Retrieval-GIR", err)

    def test_every_price_is_the_one_of_its_usage(self):
        self.assertEqual(self.run_it("--write")[0], 0)
        document, rows = self.rows()
        self.assertEqual(document["dated"], "2026-11-25")
        price = lambda *key: [rows[key][name] for name in renew.TABLES[key[0]][2]]
        usd = lambda *texts: [Decimal(text) for text in texts]
        self.assertEqual(price("fargate", "us-east-1", "x86_64", "on-demand"), usd("0.04048", "0.004445"))
        self.assertEqual(price("fargate", "eu-central-1", "arm64", "on-demand"), usd("0.03725", "0.00409"))
        self.assertEqual(price("fargate_storage", "us-east-1"), usd("0.000111"))
        self.assertEqual(price("public_ipv4", "eu-central-1"), usd("0.005"))
        self.assertEqual(price("s3", "eu-central-1", "STANDARD"), usd("0.00043", "0.0054", "0"))
        self.assertEqual(price("s3", "us-east-1", "GLACIER_IR"), usd("0.01", "0.02", "0.03"))
        # The first tier that costs something, and the highest of all regions, which a local zone is not.
        self.assertEqual(price("egress", "us-east-1", "internet"), usd("0.09"))
        self.assertEqual(price("egress", "us-east-1", "region"), usd("0.02"))
        self.assertEqual(rows["fargate", "us-east-1", "x86_64", "on-demand"]["source"], "AmazonECS us-east-1 offer file published 2026-11-18")
        self.assertTrue(self.list.read_text(encoding="utf-8").startswith("# Head of the file.\n\ndated ="))

    def test_what_is_not_renewed_keeps_its_date(self):
        self.run_it("--write")
        _, rows = self.rows()
        self.assertEqual(rows["nat", "us-east-1"]["dated"], "2025-12-01")
        self.assertEqual(rows["fargate", "us-east-1", "x86_64", "spot"]["dated"], "2026-01-31")
        self.assertEqual(rows["s3", "eu-central-1", "GLACIER_IR"]["dated"], "2026-01-31")
        self.assertEqual(rows["s3", "eu-central-1", "GLACIER_IR"]["usd_per_1000_get"], Decimal("0.011"))
        self.assertNotIn("dated", rows["fargate", "us-east-1", "x86_64", "on-demand"])
        self.assertEqual(rows["fargate", "us-east-1", "x86_64", "on-demand"]["note"], "kept")

    def test_a_second_time_changes_nothing(self):
        self.run_it("--write")
        once = self.list.read_text(encoding="utf-8")
        code, out, _ = self.run_it("--write")
        self.assertEqual((code, out, self.list.read_text(encoding="utf-8")), (0, "", once))

    def changed(self, offer, region, change):
        """The samples with one offer file changed."""
        offers = self.folder / "offers"
        shutil.copytree(SAMPLES, offers)
        path = offers / offer / "current" / region / "index.json"
        document = json.loads(path.read_text(encoding="utf-8"))
        change(document)
        path.write_text(json.dumps(document), encoding="utf-8")
        return offers

    def test_two_prices_of_one_thing_are_none(self):
        def twice(document):
            sku = next(sku for sku, product in document["products"].items() if product["attributes"]["usagetype"] == "EUC1-Fargate-GB-Hours")
            document["products"]["OTHER"] = document["products"][sku]
            terms = json.dumps(document["terms"]["OnDemand"][sku]).replace("0.0051100000", "0.0099000000")
            document["terms"]["OnDemand"]["OTHER"] = json.loads(terms)

        _, _, err = self.run_it("--write", offers=self.changed("AmazonECS", "eu-central-1", twice))
        self.assertIn("not renewed: fargate eu-central-1 x86_64 on-demand: AmazonECS eu-central-1 has several prices of Fargate-GB-Hours: 0.00511, 0.0099", err)
        _, rows = self.rows()
        self.assertEqual(rows["fargate", "eu-central-1", "x86_64", "on-demand"]["dated"], "2026-01-31")

    def test_a_price_of_nothing_is_none(self):
        def free(document):
            document["terms"] = json.loads(json.dumps(document["terms"]).replace("0.0404800000", "0.0000000000"))

        _, _, err = self.run_it("--write", offers=self.changed("AmazonECS", "us-east-1", free))
        self.assertIn("has no price of Fargate-vCPU-Hours:perCPU", err)
        self.assertEqual(self.rows()[1]["fargate", "us-east-1", "x86_64", "on-demand"]["usd_per_vcpu_hour"], Decimal("0.01"))

    def test_what_is_no_offer_file_changes_nothing(self):
        for change in (lambda document: document.clear(), lambda document: document.update(terms={})):
            code, out, err = self.run_it("--write", offers=self.changed("AmazonS3", "us-east-1", change))
            self.assertEqual((code, out, self.list.read_text(encoding="utf-8")), (1, "", OLD))
            self.assertIn("is not an offer file", err)
            shutil.rmtree(self.folder / "offers")
        code, _, err = self.run_it("--write", "--add", "mars-1")
        self.assertEqual((code, self.list.read_text(encoding="utf-8")), (1, OLD))
        self.assertIn("nothing was changed", err)

    def test_numbers_have_no_exponent(self):
        self.assertEqual([renew.plain(Decimal(text)) for text in ("0.0000050000", "4E-7", "0", "0.0", "12", "100", "0.10")], ["0.000005", "0.0000004", "0", "0.0", "12", "100", "0.1"])

    def test_the_kept_list_is_written_as_the_script_writes(self):
        text = renew.LIST.read_text(encoding="utf-8")
        document = tomllib.loads(text, parse_float=Decimal)
        self.assertEqual(renew.render(document, text[: text.index("\ndated = ")]), text)


if __name__ == "__main__":
    unittest.main()
