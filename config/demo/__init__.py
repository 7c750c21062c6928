"""The demo: invented shops, orders and cases, as the platforms' own spreadsheets bring them."""
