# Types and values are checked before any mail is.
hostname = "mx.test"
data_dir = 5 # ERROR: is a string, and this is a number

list "nets" {
  type  = ip
  items = ["300.1.1.1"] # ERROR: not an IP address
}

policy "p" {
  thresholds = { tag = "4", quarantine = 3, rejct = 5 } # ERROR: tag is a number AND Did you mean "reject"? AND needs a quarantine

  mail {
    reject "a" {
      when = spf.result == "pas" # ERROR: Did you mean "pass"?
      text = "5.7.1 x"
    }

    reject "b" {
      when = mail.size > "20MB" # ERROR: write size("20MB")
      text = "5.7.1 x"
    }

    reject "c" {
      when = mail.from # ERROR: A condition is true or false
      text = "5.7.1 x"
    }

    reject "d" {
      when = matches(mail.from, "a(") # ERROR: Bad pattern
      text = "4.7.1 x"                # ERROR: reject gives 5.x.x codes
    }

    reject "e" {
      when = client.ip == "300.1.1.1" # ERROR: is no IP address
      code = 450                      # ERROR: reject gives 5xx codes
      text = "5.7.1 x"
    }

    reject "f" {
      when = within(client.ip, "nonsense") # ERROR: not an IP address or network
      text = "5.7.1 x"
    }

    reject "g" {
      when = listed(mail.size, list.nets) # ERROR: Argument 1 of listed must be
      text = "5.7.1 x"
    }

    reject "h" {
      when = lower() == "x" # ERROR: lower takes 1 argument
      text = "5.7.1 x"
    }

    reject "i" {
      when = mail.null == "yes" # ERROR: The left side is a bool, the right side a string
      text = "5.7.1 x"
    }

    reject "j" {
      when = [for x in auth.addresses : x] == 1 # ERROR: (for) is not part of the policy language
      text = "5.7.1 x"
    }

    reject "k" {
      when = auth.addresses[0] == "x" # ERROR: Facts have no index
      text = "5.7.1 x"
    }

    reject "l" {
      when = mail.from == null # ERROR: There is no null
      text = "5.7.1 x"
    }

    reject "m" {
      when = mail.from < mail.domain # ERROR: has no order
      text = "5.7.1 x"
    }

    reject "n" {
      when = between("25:00", "06:00") # ERROR: is no time of day
      text = "5.7.1 x"
    }

    limit "o" { # ERROR: needs rate
      key = client.ip
    }

    skip "p" {
      when    = spf.result == "pass"
      classes = ["malware"] # ERROR: write force = true
    }

    tag "q" {
      when = mail.null
      add  = ["two words"] # ERROR: is no tag
    }
  }

  data {
    score "r" {
      line = 5 # ERROR: A line of a score is points(number, condition)
    }

    modify "s" {
      remove_header = ["Received"] # ERROR: Received fields stay
    }

    copy "t" {
      to = ["nobody"] # ERROR: is no mail address
    }

    quarantine "u" { # ERROR: needs a quarantine
      when = msg.has_macros
    }
  }
}
