"""What `sam deploy` hands to AWS, here a moto server on loopback."""

import re
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from tests.support import sam
from tests.support.aws import moto

pytestmark = pytest.mark.sam

BUCKET = "packages"


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    """The address of an AWS with one bucket; by name, since sam refuses a bare IP address as an S3 endpoint."""
    with moto() as url:
        yield url.replace("127.0.0.1", "localhost")


def client(service: str, aws: str) -> boto3.client:
    return boto3.client(
        service,
        endpoint_url=aws,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


def deploy(aws: str, built: Path) -> str:
    template = ("--template-file", built / "template.yaml", "--config-file", sam.ROOT / "samconfig.toml")
    upload = ("--no-resolve-s3", "--s3-bucket", BUCKET)
    done = sam.run("sam", "deploy", *template, *upload, "--no-execute-changeset", env={"AWS_ENDPOINT_URL": aws})
    return done.stdout


def test_a_deployment_uploads_the_package_once_and_makes_a_change_set(aws: str, built: Path) -> None:
    client("s3", aws).create_bucket(Bucket=BUCKET)
    said = deploy(aws, built)

    objects = client("s3", aws).list_objects_v2(Bucket=BUCKET)["Contents"]
    packages = [each["Key"] for each in objects if not each["Key"].endswith(".template")]
    assert [key.split("/")[0] for key in packages] == ["mcpx-dev"]

    stack = client("cloudformation", aws)
    (summary,) = stack.list_change_sets(StackName="mcpx-dev")["Summaries"]
    change_set = stack.describe_change_set(StackName="mcpx-dev", ChangeSetName=summary["ChangeSetName"])
    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in change_set["Parameters"]}
    assert parameters == {
        "EnvironmentName": "development",
        "KeepUsers": "false",
        "LogLevel": "DEBUG",
        "LogRetentionDays": "7",
    }
    assert re.search(r'Capabilities +: \["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"\]', said)
