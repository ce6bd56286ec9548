# Protection that is switched off is told.
hostname = "mx.test"

policy "p" {
  mail {
    skip "all" { # WARNING: switches off the class malware
      when    = spf.result == "pass"
      classes = ["malware"]
      force   = true
    }
  }
}
