# Rules about the network that the client is in.
hostname = "mx.example.com"

domain "example.com" {
  route = route.inside
}

route "inside" {
  to = ["10.0.0.5:25"]
}

listener "edge" {
  address = "127.0.0.1:0"
  policy  = policy.inbound
}

filter "geo" {
  asn     = "networks.mmdb"
  country = "networks.mmdb"
}

policy "inbound" {
  thresholds = { tag = 4, reject = 15 }

  connect {
    drop "networks" {
      when = client.asn == 64511
    }
  }

  rcpt {
    reject "countries" {
      when = listed(client.country, ["NL", "BE"])
      text = "5.7.1 No mail from AS${client.asn} in ${client.country}"
    }
  }

  data {
    score "network" {
      nowhere = points(4.0, client.country == "")
    }
  }
}
