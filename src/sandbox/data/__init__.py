"""The made-up companies and all that is known of them: every figure follows from names and dates, none from chance."""
