"""Any ASGI app on AWS Lambda, streaming. Standard library only."""
