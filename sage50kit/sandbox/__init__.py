"""A local ConnectWise site over real HTTP."""
