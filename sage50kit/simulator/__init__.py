"""A world in which everything goes wrong on purpose, and a judge who looks at the books afterwards."""
