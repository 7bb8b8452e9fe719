"""Prints template.yaml as the SAM transform hands it to CloudFormation; run by the Python that has samtranslator."""

import json
import sys
from pathlib import Path

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse


class NoManagedPolicies:
    """What the transform asks for AWS's managed policies: the template names none."""

    def load(self) -> dict[str, str]:
        return {}


def main(path: Path) -> None:
    template = yaml_parse(path.read_text())
    del template["Globals"]["Function"]["CodeUri"]
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            # `sam package` puts the address of the upload here; the transform wants one.
            resource["Properties"]["CodeUri"] = "s3://packages/mcpx.zip"
    json.dump(transform(template, {}, NoManagedPolicies()), sys.stdout)


main(Path(sys.argv[1]))
