"""Events as the services send them, cut to what matters."""

from typing import Any


def function_url(path: str = "/", method: str = "GET", **changes: Any) -> dict[str, Any]:
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"host": "abc.lambda-url.eu-west-1.on.aws", "x-forwarded-proto": "https", "x-forwarded-port": "443"},
        "requestContext": {
            "domainName": "abc.lambda-url.eu-west-1.on.aws",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7"},
            "stage": "$default",
        },
        "isBase64Encoded": False,
        **changes,
    }


def http_api(path: str = "/", method: str = "GET", **changes: Any) -> dict[str, Any]:
    event = function_url(path, method, **changes)
    event["requestContext"]["domainName"] = "abc.execute-api.eu-west-1.amazonaws.com"
    return event


def rest_api(path: str = "/", method: str = "GET", **changes: Any) -> dict[str, Any]:
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": {"Host": "abc.execute-api.eu-west-1.amazonaws.com"},
        "multiValueHeaders": {"Host": ["abc.execute-api.eu-west-1.amazonaws.com"]},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "requestContext": {"identity": {"sourceIp": "203.0.113.7"}, "protocol": "HTTP/1.1", "stage": "prod"},
        "body": None,
        "isBase64Encoded": False,
        **changes,
    }


def load_balancer(path: str = "/", method: str = "GET", **changes: Any) -> dict[str, Any]:
    return {
        "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:tg"}},
        "httpMethod": method,
        "path": path,
        "queryStringParameters": {},
        "headers": {"host": "lb.example", "x-forwarded-for": "198.51.100.1, 203.0.113.7", "x-forwarded-proto": "http"},
        "body": "",
        "isBase64Encoded": False,
        **changes,
    }
