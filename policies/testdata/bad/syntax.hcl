# One line, two attributes: HCL wants them on lines of their own.
hostname = "mx.test"

route "r" { to = ["a:25"], tls = may } # ERROR: Not valid HCL
