# A file without entries.
hostname = "mx.test"

# FILE /etc/lists/a.txt:
list "a" {
  type = ip
  file = "lists/a.txt" # WARNING: its file is empty
}

policy "p" {
  connect {
    drop "a" {
      when = listed(client.ip, list.a)
    }
  }
}
