# A rule that may reject for some recipients only asks for `partial`.
hostname = "mx.example.com"

domain "example.com" {
  route = route.store
}

listener "edge" {
  address = ":25"
  policy  = policy.silent
}

listener "other" {
  address = ":26"
  policy  = policy.said
}

policy "silent" {
  data {
    reject "bob" { # WARNING: one answer for all
      when = rcpt.local == "bob"
    }

    reject "all" {
      when = msg.subject == "x"
    }

    reject "trial" {
      when = rcpt.local == "eve"
      mode = shadow
    }
  }
}

policy "said" {
  partial = bounce

  data {
    reject "bob" {
      when = rcpt.local == "bob"
    }
  }
}

filter "dnsbl" "here" {
  zone     = "bl.test"
  on_error = quarantine # ERROR: needs a quarantine
}
