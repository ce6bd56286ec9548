package demo

import (
	"strings"
	"time"
)

// act is one of the seven messages and what must become of it.
type act struct {
	client   string // the address that it comes from
	helo     string
	from, to string
	subject  string
	text     string // the whole message, without Date and Message-ID
	signed   bool   // with friend.test's DKIM key
	login    bool   // over submission, as the demo's account
	again    bool   // comes back after it was deferred

	action string // what must become of it, as the trail says
	rule   string // by which rule, as the end of its path
	code   string // the beginning of the last reply
	note   string // what the demo prints beside it
}

const (
	account  = "demo@example.test"
	password = "demo"
)

// play is the seven messages. The text is real mail: each verdict is found by
// the same filters and the same rules as on any other gateway.
var play = []act{
	{
		client: friendIP, helo: "mail.friend.test", from: "ann@friend.test", to: account, subject: "Lunch on Friday?", signed: true,
		text:   plain("Ann <ann@friend.test>", "Shall we meet at noon?\r\n.\r\n(The dot above stands alone on its line.)\r\n"),
		action: "accept", code: "250", note: "-> INBOX",
	},
	{
		client: shopIP, helo: "news.shop.test", from: "news@shop.test", to: account, subject: "Sale!",
		text: "List-Unsubscribe: <https://shop.test/leave>\r\nPrecedence: bulk\r\n" +
			plain("Shop <news@shop.test>", "Everything must go. To unsubscribe, follow the link.\r\n"),
		action: "accept", code: "250", note: "-> INBOX, tagged",
	},
	{
		client: spamIP, helo: "bot.spam.test", from: "x@spam.test", to: account, subject: "You won",
		text:   plain("x@spam.test", "Send us your account number.\r\n"),
		action: "reject", rule: "rcpt.reject.dnsbl", code: "550 5.7.1",
	},
	{
		client: bankIP, helo: "out.bank.test", from: "it@bank.test", to: account, subject: "Invoice.pdf.exe",
		text:   attachment,
		action: "reject", rule: "data.reject.programs", code: "550 5.7.1",
	},
	{
		client: forgerIP, helo: "[" + forgerIP + "]", from: "ceo@example.test", to: account, subject: "Urgent transfer",
		text:   plain("The boss <ceo@example.test>", "Pay this today and tell nobody.\r\n"),
		action: "quarantine", rule: "data.quarantine.dmarc", code: "250", note: "-> quarantine suspicious",
	},
	{
		client: unknownIP, helo: "mail.unknown.test", from: "new@unknown.test", to: account, subject: "Hello", again: true,
		text:   plain("Someone new <new@unknown.test>", "We have not met yet.\r\n"),
		action: "accept", rule: "", code: "250", note: "greylisted, came back, accepted",
	},
	{
		client: gatewayIP, helo: "laptop.example.test", from: account, to: "ann@friend.test", subject: "Re: Lunch on Friday?", login: true,
		text:   plain("Demo <"+account+">", "Noon is fine.\r\n"),
		action: "accept", code: "250", note: "DKIM fp1, delivered to the pretend MX",
	},
}

func plain(from, body string) string {
	return "From: " + from + "\r\n\x00MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + body
}

// attachment is a message whose program hides behind a second extension.
var attachment = strings.ReplaceAll("From: IT <it@bank.test>\n\x00MIME-Version: 1.0\n"+
	"Content-Type: multipart/mixed; boundary=\"b1\"\n\n"+
	"--b1\nContent-Type: text/plain\n\nPlease open the invoice.\n"+
	"--b1\nContent-Type: application/octet-stream\nContent-Disposition: attachment; filename=\"Invoice.pdf.exe\"\n"+
	"Content-Transfer-Encoding: base64\n\nTVqQAAMAAAAEAAAA//8AALgAAAAAAAAA\n--b1--\n", "\n", "\r\n")

// message is the act's text with the fields that differ from run to run.
func (a act) message(now time.Time, id string) []byte {
	fields := "To: " + a.to + "\r\nSubject: " + a.subject + "\r\nDate: " + now.Format(time.RFC1123Z) +
		"\r\nMessage-ID: <" + id + "@demo.test>\r\n"
	return []byte(strings.Replace(a.text, "\x00", fields, 1))
}
