# All mistakes at once, in order.
hostname = "mx.test"

lisener "a" { # ERROR: FP0101
}

policy "p" {
  rcpt {
    rejct "a" { # ERROR: FP0103
    }

    reject "b" {
      when = spf.reslt == "fail" # ERROR: FP0105
      txt  = "5.7.1 x"           # ERROR: FP0102
    }

    reject "c" {
      when = liste(mail.from, ["a"]) # ERROR: FP0106
      text = "5.7.1 ${msg.subject}"  # ERROR: FP0107
    }
  }
}
