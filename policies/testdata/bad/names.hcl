# Names that stand for nothing.
hostname = "mx.test"
hostnam  = "x" # ERROR: Did you mean "hostname"?

listner "edge" { # ERROR: Did you mean "listener"?
}

listener "edge" {
  address = ":25"
  polcy   = policy.p # ERROR: Did you mean "policy"?
  policy  = policy.q # ERROR: There is no policy "q"
}

domain "a.test" {
  route = route.nowhere # ERROR: There is no route "nowhere"
}

filter "dnsbll" "x" { # ERROR: Did you mean "dnsbl"?
}

filter "dnsbl" { # ERROR: two labels
}

filter "dnsbl" "zen" {
  zone = "zen.example"
  zome = "x" # ERROR: Did you mean "zone"?
}

list "vips" {
  type  = adress # ERROR: Did you mean "address"?
  items = ["a"]
}

policy "p" {
  rpct { # ERROR: Did you mean "rcpt"?
  }

  rcpt {
    rejekt "typo" { # ERROR: Did you mean "reject"?
    }

    reject "a" {
      when = dnsbl.zne.listed # ERROR: Did you mean "zen"?
      text = "5.7.1 x"
    }

    reject "b" {
      when = dnsbl.zen.listd # ERROR: Did you mean "dnsbl.zen.listed"?
      text = "5.7.1 x"
    }

    reject "c" {
      when = liste(client.ip, list.vips) # ERROR: Did you mean "listed"?
      text = "5.7.1 x"
    }

    reject "d" {
      when = listed(client.ip, list.vip) # ERROR: Did you mean "vips"?
      text = "5.7.1 ${clent.ip}"         # ERROR: There is no fact clent.ip
    }

    reject "e" {
      when = spf.result == pass # ERROR: put it in quotes
      mode = shadw              # ERROR: Did you mean "shadow"?
      text = "5.7.1 x"
    }

    reject "e" { # ERROR: There is a rule p.rcpt.reject.e already
      class = "spamm" # ERROR: Did you mean "spam"?
      text  = "5.7.1 x"
    }

    use "nothing" {} # ERROR: There is no rules "nothing"
  }
}

policy "p" { # ERROR: already
}
