# A tag rule gives tags.
hostname = "mx.test"

policy "p" {
  data {
    tag "a" { # ERROR: needs add
      when = mail.null
    }
  }
}
