# Two rules of one name.
hostname = "mx.test"

policy "p" {
  rcpt {
    reject "a" {
      when = mail.null
      text = "5.7.1 x"
    }

    reject "a" { # ERROR: There is a rule p.rcpt.reject.a already
      when = auth.ok
      text = "5.7.1 x"
    }
  }
}
