# Rules of the data phase that differ between the recipients.
hostname = "mx.test"

policy "p" {
  data {
    reject "list" { # WARNING: partial = quarantine, discard or bounce
      when = rcpt.local == "all" && mail.null
      text = "5.7.1 x"
    }

    reject "trial" {
      when = rcpt.local == "all"
      mode = shadow
      text = "5.7.1 x"
    }

    reject "many" {
      when = rcpt.count > 50
      text = "5.7.1 x"
    }

    defer "later" {
      when = rcpt.local == "all"
      text = "4.7.1 x"
    }
  }
}

quarantine "spam" {}

policy "q" {
  partial = quarantine

  rcpt {
    reject "early" {
      when = rcpt.local == "all"
      text = "5.7.1 x"
    }
  }

  data {
    reject "list" {
      when = rcpt.local == "all"
      text = "5.7.1 x"
    }
  }
}
