"""ConnectWise PSA over its REST API: client, wire models, frames."""
