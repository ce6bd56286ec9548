# What a table of another program has and a list has not.
hostname = "mx.test"

# FILE /etc/lists/sender: a@b.test REJECT | <> REJECT | /x/ REJECT | .b.test REJECT | bob@ OK | !c.test OK
# IN /etc/lists/sender 2 ERROR: mail.null
# IN /etc/lists/sender 3 ERROR: is a regular expression
# IN /etc/lists/sender 6 ERROR: what is not in the table
list "sender" {
  type   = address
  file   = "lists/sender"
  format = postfix
}

# FILE /etc/lists/client.cidr: if 10.0.0.0/8 | 192.0.2 REJECT | [2001:db8::]/32 REJECT | endif |
# IN /etc/lists/client.cidr 1 ERROR: if and endif have no meaning
# IN /etc/lists/client.cidr 4 ERROR: if and endif have no meaning
list "client" {
  type   = ip
  file   = "lists/client.cidr"
  format = postfix
}

# FILE /etc/lists/subject.pcre: /(?<!x)y/ REJECT | /a b/x REJECT | /fine/ REJECT
# IN /etc/lists/subject.pcre 1 ERROR: looks around
# IN /etc/lists/subject.pcre 2 ERROR: the flag x
list "subject" {
  type   = regex
  file   = "lists/subject.pcre"
  format = postfix
}

policy "p" {
  connect {
    drop "a" {
      when = listed(client.ip, list.client)
    }
  }

  data {
    tag "b" {
      when = listed(mail.from, list.sender) || listed(msg.subject, list.subject)
      add  = ["b"]
    }
  }
}
