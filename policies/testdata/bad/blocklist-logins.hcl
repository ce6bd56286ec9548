# People who log in come from addresses that stand on blocklists.
hostname = "mx.test"

filter "dnsbl" "zen" {
  zone = "zen.test"
}

domain "a.test" {
  route = route.store
}

listener "submission" {
  address = ":587"
  auth    = accounts
  policy  = policy.p
}

policy "p" {
  rcpt {
    reject "dnsbl" { # WARNING: people log in there
      when = dnsbl.zen.listed
      text = "5.7.1 x"
    }

    reject "strangers" {
      when = dnsbl.zen.listed && !auth.ok
      text = "5.7.1 x"
    }
  }
}
