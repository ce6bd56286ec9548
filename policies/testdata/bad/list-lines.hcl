# A mistake in the file of a list is told where it is in that file.
hostname = "mx.test"

# FILE /etc/lists/a.txt: 192.0.2.1 | 192,0.2.2 | 192.0.2.3 a remark | 192.0.2.4 # a remark | spam.test
# IN /etc/lists/a.txt 2 ERROR: "192,0.2.2": not an IP address or network
# IN /etc/lists/a.txt 3 ERROR: FP0204
# IN /etc/lists/a.txt 5 ERROR: "spam.test"
list "a" {
  type = ip
  file = "lists/a.txt"
}

policy "p" {
  connect {
    drop "a" {
      when = listed(client.ip, list.a)
    }
  }
}
