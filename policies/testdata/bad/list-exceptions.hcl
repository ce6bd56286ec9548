# A table that lets some in and keeps others out, as one list; and as two.
hostname = "mx.test"

# FILE /etc/lists/access: a.test REJECT | good.a.test OK | b.test 550 no | c.test DUNNO
list "access" {
  type   = domain
  file   = "lists/access" # WARNING: /etc/lists/access lets 2 keys in (line 2: OK) and keeps 2 out (line 1: REJECT)
  format = postfix
}

list "bad" {
  type   = domain
  file   = "lists/access"
  format = postfix
  values = ["REJECT", "550"]
}

list "lines" {
  type   = domain
  items  = ["a.test"]
  values = ["OK"] # ERROR: Only tables say something behind their keys
}

policy "p" {
  mail {
    tag "a" {
      when = listed(mail.domain, list.access) || listed(mail.domain, list.bad) || listed(mail.domain, list.lines)
      add  = ["a"]
    }
  }
}
