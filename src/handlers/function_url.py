"""Lambda function URL, response streaming: the app, hosted in-process by `lambda_asgi`."""

from lambda_asgi import LambdaApp
from mcp_app.app import create_app
from mcp_app.settings import Settings

app = LambdaApp(create_app(Settings.from_environment()))
