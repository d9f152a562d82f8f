assert("\x41\65\u{41}\z
        B" == "AAAB")
