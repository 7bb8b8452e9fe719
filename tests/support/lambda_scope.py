"""Requests as a Lambda door hands them to the app, over a real connection."""

from types import SimpleNamespace

from starlette.types import ASGIApp, Receive, Scope, Send


class OnLambda:
    """Adds to each request's scope what `lambda_asgi` does."""

    def __init__(self, app: ASGIApp, domain: str | None = None, request_id: str = "lambda-1") -> None:
        self.app = app
        self.event = {"requestContext": {} if domain is None else {"domainName": domain}}
        self.context = SimpleNamespace(aws_request_id=request_id)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "extensions": {"aws.lambda": {"event": self.event, "context": self.context}}}
        await self.app(scope, receive, send)
