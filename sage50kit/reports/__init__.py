"""HTML, Excel, CSV and text, made from frames and the push log only."""
