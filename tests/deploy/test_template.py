"""What template.yaml becomes in CloudFormation."""

import json
import tomllib
from typing import Any

import pytest

from mcp_app.settings import Settings
from tests.support import sam

pytestmark = pytest.mark.sam

WITH_HTTP_API = {"HttpApi": "true"}

# Read by the Lambda service, or by a library: not settings of ours.
FOREIGN_VARIABLES = {"AWS_LAMBDA_EXEC_WRAPPER", "PYDANTIC_DISABLE_PLUGINS"}


def mcp_function(**parameters: str) -> dict[str, Any]:
    properties: dict[str, Any] = sam.stack(**parameters).of_type("AWS::Lambda::Function")["McpFunction"]
    return properties


def statements(role: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for policy in role["Policies"] for each in policy["PolicyDocument"]["Statement"]]


def actions(statement: dict[str, Any]) -> set[str]:
    action = statement["Action"]
    return {action} if isinstance(action, str) else set(action)


def test_sam_finds_the_template_valid() -> None:
    assert "is a valid SAM Template" in sam.run("sam", "validate").stdout


@pytest.mark.parametrize(
    ("environment", "stack_name", "node_env"),
    [("default", "mcpx-dev", "development"), ("prod", "mcpx-prod", "production")],
)
def test_both_environments_deploy_by_parameters_that_exist_and_open_nothing(
    environment: str, stack_name: str, node_env: str
) -> None:
    commands = tomllib.loads((sam.ROOT / "samconfig.toml").read_text())[environment]
    given = dict(each.split("=") for each in commands["deploy"]["parameters"]["parameter_overrides"].split())
    variables = mcp_function(**given)["Environment"]["Variables"]

    assert commands["global"]["parameters"]["stack_name"] == stack_name
    assert commands["build"]["parameters"]["build_in_source"] is True
    assert (variables["NODE_ENV"], variables["AUTH_MODE"]) == (node_env, "oauth")
    assert sam.stack(**given).broken_rules() == set()


def test_cfn_lint_finds_nothing_not_even_to_remark_upon() -> None:
    assert sam.run("cfn-lint", "--include-checks", "I", "--template", "template.yaml").stdout == ""


def test_the_url_streams_from_the_alias_and_leaves_authorization_to_the_app() -> None:
    (url,) = sam.stack().of_type("AWS::Lambda::Url").values()

    assert url == {
        "TargetFunctionArn": {"Ref": "McpFunctionAliaslive"},
        "AuthType": "NONE",
        "InvokeMode": "RESPONSE_STREAM",
    }


def test_anybody_may_call_the_url_and_nothing_but_the_url() -> None:
    permissions = list(sam.stack(**WITH_HTTP_API).of_type("AWS::Lambda::Permission").values())
    public = {each["Action"]: each for each in permissions if each["Principal"] == "*"}
    alias = {"Ref": "McpFunctionAliaslive"}

    assert public == {
        "lambda:InvokeFunctionUrl": {
            "Action": "lambda:InvokeFunctionUrl",
            "FunctionName": alias,
            "Principal": "*",
            "FunctionUrlAuthType": "NONE",
        },
        "lambda:InvokeFunction": {
            "Action": "lambda:InvokeFunction",
            "FunctionName": alias,
            "Principal": "*",
            "InvokedViaFunctionUrl": True,
        },
    }
    others = [each for each in permissions if each["Principal"] != "*"]
    assert {each["Principal"] for each in others} == {"apigateway.amazonaws.com"}
    assert all(each["SourceArn"] for each in others)


def test_each_function_has_a_role_of_its_own_with_these_rights_alone() -> None:
    stack = sam.stack(**WITH_HTTP_API)
    functions = stack.of_type("AWS::Lambda::Function")
    roles = stack.of_type("AWS::IAM::Role")

    assert [each["Role"] for each in functions.values()] == [{"Fn::GetAtt": [name, "Arn"]} for name in roles]
    for function, role in zip(functions.values(), roles.values(), strict=True):
        assert "ManagedPolicyArns" not in role
        granted = {frozenset(actions(each)): each["Resource"] for each in statements(role)}
        log_group = function["LoggingConfig"]["LogGroup"]["Ref"]
        assert granted == {
            frozenset({"logs:CreateLogStream", "logs:PutLogEvents"}): {"Fn::GetAtt": [log_group, "Arn"]},
            frozenset({"secretsmanager:GetSecretValue"}): [{"Ref": "OpenAiSecret"}, {"Ref": "ServerSecret"}],
            frozenset({"kms:Decrypt"}): {"Fn::GetAtt": ["Key", "Arn"]},
            frozenset({"xray:PutTraceSegments", "xray:PutTelemetryRecords"}): "*",
        }


def test_no_role_has_an_action_with_a_wildcard() -> None:
    for role in sam.stack(**WITH_HTTP_API).of_type("AWS::IAM::Role").values():
        for statement in statements(role):
            assert not [action for action in actions(statement) if "*" in action]


def test_the_key_decrypts_for_a_role_by_way_of_secrets_manager_alone() -> None:
    (decrypt,) = (
        each for each in statements(sam.stack().of_type("AWS::IAM::Role")["McpRole"]) if "kms:Decrypt" in actions(each)
    )

    service = {"Fn::Sub": "secretsmanager.${AWS::Region}.amazonaws.com"}
    assert decrypt["Condition"] == {"StringEquals": {"kms:ViaService": service}}


def test_the_wrapper_starts_the_streaming_runtime_for_the_url_only() -> None:
    functions = sam.stack(**WITH_HTTP_API).of_type("AWS::Lambda::Function")
    wrappers = {
        name: each["Environment"]["Variables"].get("AWS_LAMBDA_EXEC_WRAPPER") for name, each in functions.items()
    }

    assert wrappers == {"McpFunction": "/var/task/lambda_asgi/bootstrap", "HttpApiFunction": None}
    assert functions["McpFunction"]["Handler"] == "handlers.function_url.app"
    assert functions["HttpApiFunction"]["Handler"] == "handlers.http_api.handler"


def test_a_call_that_nobody_waits_for_is_billed_a_minute_at_most() -> None:
    assert mcp_function()["Timeout"] <= 60


def test_every_variable_is_a_setting_that_the_app_reads() -> None:
    settings = {field.name for field in Settings.fields()}

    for function in sam.stack(**WITH_HTTP_API).of_type("AWS::Lambda::Function").values():
        assert function["Environment"]["Variables"].keys() - FOREIGN_VARIABLES <= settings


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"])
def test_the_default_variables_make_settings(level: str) -> None:
    given = mcp_function(LogLevel=level)["Environment"]["Variables"]
    settings = Settings.from_environment({name: value for name, value in given.items() if isinstance(value, str)})

    assert (settings.auth_mode, settings.allow_public_noauth) == ("oauth", False)
    assert (settings.name, settings.public_url, settings.log_level) == ("mcpx", None, level)


def test_no_secret_is_in_the_environment() -> None:
    variables = mcp_function()["Environment"]["Variables"]

    assert variables["OPENAI_SECRET_ARN"] == {"Ref": "OpenAiSecret"}
    assert variables["SERVER_SECRET_ARN"] == {"Ref": "ServerSecret"}
    assert not variables.keys() & {"OPENAI_API_KEY", "WEATHER_API_KEY", "SERVER_SECRET", "JWT_SECRET_KEY"}


def test_the_secrets_hold_the_keys_that_the_app_looks_for() -> None:
    secrets = sam.stack().of_type("AWS::SecretsManager::Secret")

    assert json.loads(secrets["OpenAiSecret"]["SecretString"]) == {"OPENAI_API_KEY": "", "WEATHER_API_KEY": ""}
    generated = secrets["ServerSecret"]["GenerateSecretString"]
    assert generated["GenerateStringKey"] == "SERVER_SECRET"
    assert generated["PasswordLength"] >= 32


def test_secrets_and_logs_are_encrypted_with_the_stack_s_own_key() -> None:
    stack = sam.stack(**WITH_HTTP_API)
    key = {"Fn::GetAtt": ["Key", "Arn"]}
    encrypted = [*stack.of_type("AWS::SecretsManager::Secret").values(), *stack.of_type("AWS::Logs::LogGroup").values()]

    assert [each["KmsKeyId"] for each in encrypted] == [key] * 4
    assert stack.of_type("AWS::KMS::Key")["Key"]["EnableKeyRotation"] is True


def test_the_key_knows_each_log_group_by_its_name() -> None:
    stack = sam.stack(**WITH_HTTP_API)
    (logs,) = (
        each for each in stack.of_type("AWS::KMS::Key")["Key"]["KeyPolicy"]["Statement"] if each["Sid"] == "LogsEncrypt"
    )
    known = logs["Condition"]["ArnEquals"]["kms:EncryptionContext:aws:logs:arn"]
    arn = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:"

    names = [each["LogGroupName"]["Fn::Sub"] for each in stack.of_type("AWS::Logs::LogGroup").values()]
    assert [each["Fn::Sub"] for each in known] == [arn + name for name in names]


def test_logs_are_json_and_kept_as_long_as_the_parameter_says() -> None:
    stack = sam.stack(LogLevel="WARNING", LogRetentionDays="7")

    assert stack.of_type("AWS::Lambda::Function")["McpFunction"]["LoggingConfig"] == {
        "LogFormat": "JSON",
        "ApplicationLogLevel": "WARN",
        "SystemLogLevel": "INFO",
        "LogGroup": {"Ref": "McpLogGroup"},
    }
    assert stack.of_type("AWS::Logs::LogGroup")["McpLogGroup"]["RetentionInDays"] == "7"


def test_by_default_there_is_no_http_api_no_reserved_and_no_provisioned_concurrency_and_no_snapshot() -> None:
    stack = sam.stack()

    assert list(stack.of_type("AWS::Lambda::Function")) == ["McpFunction"]
    assert not stack.of_type("AWS::ApiGatewayV2::Api")
    assert "ReservedConcurrentExecutions" not in mcp_function()
    assert mcp_function()["SnapStart"] == {"ApplyOn": "None"}
    assert "ProvisionedConcurrencyConfig" not in stack.of_type("AWS::Lambda::Alias")["McpFunctionAliaslive"]
    assert "HttpApiUrl" not in stack.outputs


def test_capacity_is_set_by_parameters() -> None:
    stack = sam.stack(Architecture="x86_64", MemorySize="1024", ReservedConcurrency="0", ProvisionedConcurrency="2")
    function = stack.of_type("AWS::Lambda::Function")["McpFunction"]

    assert (function["Architectures"], function["MemorySize"]) == (["x86_64"], "1024")
    assert function["ReservedConcurrentExecutions"] == "0"
    alias = stack.of_type("AWS::Lambda::Alias")["McpFunctionAliaslive"]
    assert alias["ProvisionedConcurrencyConfig"] == {"ProvisionedConcurrentExecutions": "2"}


@pytest.mark.parametrize(
    ("parameters", "broken"),
    [
        ({}, set()),
        ({"AuthMode": "noauth"}, {"NoauthIsDeliberate"}),
        ({"AuthMode": "noauth", "AllowPublicNoauth": "true"}, set()),
        ({"SnapStart": "PublishedVersions"}, set()),
        ({"ProvisionedConcurrency": "1"}, set()),
        ({"SnapStart": "PublishedVersions", "ProvisionedConcurrency": "1"}, {"SnapStartOrProvisionedConcurrency"}),
    ],
)
def test_rules_refuse_what_lambda_or_prudence_would(parameters: dict[str, str], broken: set[str]) -> None:
    assert sam.stack(**parameters).broken_rules() == broken


@pytest.mark.parametrize(
    ("public_url", "expected"),
    [("", "${McpFunctionUrl.FunctionUrl}mcp"), ("https://mcp.example.com", "${PublicUrl}/mcp")],
)
def test_the_output_is_the_url_for_clients(public_url: str, expected: str) -> None:
    assert sam.stack(PublicUrl=public_url).outputs["McpUrl"] == {"Fn::Sub": expected}


def test_the_http_api_hands_every_path_and_method_to_its_function() -> None:
    (api,) = sam.stack(**WITH_HTTP_API).of_type("AWS::ApiGatewayV2::Api").values()

    assert {path: list(methods) for path, methods in api["Body"]["paths"].items()} == {
        "/": ["x-amazon-apigateway-any-method"],
        "/{path+}": ["x-amazon-apigateway-any-method"],
    }
