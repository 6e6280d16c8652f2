lst = ["x"]
typed = { a = "one" }
pin = "four two four two"
filled = null
