"""How a database gets the present schema. Run at every start, under the single-server lock."""
