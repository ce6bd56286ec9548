# The table that postmap made, in place of the text.
hostname = "mx.test"

# FILE /etc/lists/a.db: NUL
# IN /etc/lists/a.db 1 ERROR: no text file
list "a" {
  type   = word
  file   = "lists/a.db"
  format = postfix
}

policy "p" {
  mail {
    tag "a" {
      when = listed(mail.domain, list.a)
      add  = ["a"]
    }
  }
}
