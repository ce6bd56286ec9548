# Lists that something should renew: one is late, one is not, of one nobody says
# when, and one is a directory's, of which nothing is known before it is read.
hostname = "mx.test"

# FILE /etc/lists/late.txt 3h: 192.0.2.1
# FILE /etc/lists/fresh.txt 50m: 192.0.2.2
# FILE /etc/lists/kept.txt 900d: 192.0.2.3
list "late" {
  type    = ip
  file    = "lists/late.txt" # WARNING: /etc/lists/late.txt was last written 3h0m0s ago, and refresh says 1h0m0s
  refresh = "1h"
}

list "fresh" {
  type    = ip
  file    = "lists/fresh.txt"
  refresh = "1h"
}

list "kept" {
  type = ip
  file = "lists/kept.txt"
}

list "staff" {
  type    = address
  source  = "ldaps://dc1.example.test/dc=example,dc=test?mail"
  refresh = "15m"
}

policy "p" {
  connect {
    drop "late" {
      when = listed(client.ip, list.late) || listed(client.ip, list.fresh) || listed(client.ip, list.kept)
    }
  }

  rcpt {
    reject "nobody" {
      when = !listed(rcpt.address, list.staff)
      text = "5.1.1 No such person"
    }
  }
}
