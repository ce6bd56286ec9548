# A limit has a rate.
hostname = "mx.test"

policy "p" {
  rcpt {
    limit "a" { # ERROR: needs rate
      key = client.ip
    }
  }
}
