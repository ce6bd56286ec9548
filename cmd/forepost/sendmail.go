package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/textproto"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/forepost/forepost/cmd/internal/admin"
	"github.com/spf13/cobra"
)

// Exit codes of sendmail (sysexits), which programs rely on: all but 75 mean that
// to try again as it is would not help.
const (
	exSoftUsage   = 64 // the command line
	exDataErr     = 65 // the message
	exNoInput     = 66 // there is no standard input
	exNoUser      = 67 // a recipient
	exNoHost      = 68 // a recipient's domain
	exUnavailable = 69
	exSoftware    = 70 // a mistake of ours
	exIOErr       = 74 // reading the message, writing the answer
	exTempFail    = 75 // try again
	exProtocol    = 76 // what answers is no gateway
	exNoPerm      = 77
	exConfig      = exitConfig // the gateway has no door for programs
)

// calledAs are the names under which this program is sendmail.
var calledAs = map[string]bool{"sendmail": true, "mailq": true, "newaliases": true}

func sendmailCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "sendmail [OPTIONS] [ADDRESS...]",
		Short: "Take a message from a program, as sendmail does (also by the names sendmail, mailq, newaliases)",
		Long: "Take a message from standard input and hand it to the running gateway. When it ends with 0 the message is safe.\n" +
			"Options as other sendmails have them: -t -i -f ADDRESS -F NAME -B BODY -N NOTIFY -R RET -V ENVID -bm -bs -bv -bp.",
		DisableFlagParsing: true,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 && (args[0] == "--help" || args[0] == "-h") {
				return c.Help()
			}
			if code := sendmail(c.Context(), "sendmail", args, os.Stdin, os.Stdout, os.Stderr); code != 0 {
				return coded{errors.New(""), code}
			}
			return nil
		},
	}
}

// sendmail is the whole of it; it returns the exit code.
func sendmail(ctx context.Context, name string, args []string, in io.Reader, out, errs io.Writer) (code int) {
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(errs, "%s: a mistake of this program, please report it: %v\n%s", name, p, debug.Stack())
			code = exSoftware
		}
	}()
	code, err := runSendmail(ctx, name, args, in, out)
	if err != nil {
		fmt.Fprintf(errs, "%s: %s\n", name, plainly(err))
	}
	return code
}

// plainly is an error with the server's reply as it was, without the quotes that
// net/textproto puts around it.
func plainly(err error) string {
	var said *textproto.Error
	if !errors.As(err, &said) {
		return err.Error()
	}
	return strings.Replace(err.Error(), said.Error(), fmt.Sprintf("%03d %s", said.Code, said.Msg), 1)
}

func runSendmail(ctx context.Context, name string, args []string, in io.Reader, out io.Writer) (int, error) {
	l, err := parseSendmail(name, args)
	if err != nil {
		return exSoftUsage, err
	}
	switch l.mode {
	case 'i':
		return 0, nil // aliases stand in the configuration, and are in force when it is loaded
	case 'p':
		return queueCode(printQueue(ctx, out))
	case 'q':
		_, err := new(place).client().QueueAct(ctx, admin.QueueOrder{What: "retry"})
		return queueCode(err)
	}
	c, code, err := dialSendmail()
	if err != nil {
		return code, err
	}
	defer c.Close()
	switch l.mode {
	case 's':
		return relaySMTP(c, in, out)
	case 'v':
		return l.verify(c, out)
	}
	return l.submit(c, bufio.NewReader(in))
}

// dialSendmail connects to the gateway's door for programs. That it does not run
// is no loss: the caller is told to try again. Where it runs and has no such door,
// trying again is of no use.
func dialSendmail() (net.Conn, int, error) {
	control := new(place).path()
	path := filepath.Join(filepath.Dir(control), "sendmail.sock")
	for tries := 0; ; tries++ {
		c, err := net.Dial("unix", path)
		switch {
		case err == nil:
			return c, 0, nil
		case errors.Is(err, os.ErrPermission):
			return nil, exNoPerm, fmt.Errorf("this user may not send: %w", err)
		case !errors.Is(err, os.ErrNotExist) && !errors.Is(err, syscall.ECONNREFUSED):
			return nil, exTempFail, err
		case !answers(control):
			return nil, exTempFail, fmt.Errorf("the gateway does not run, the message was not taken, try again later (%s)", path)
		case tries == 20: // it is not just starting, or reloading
			return nil, exConfig, fmt.Errorf("the gateway runs, and takes no mail from programs: %s is missing. It is there where the configuration has a listener, none of which is called %q", path, "sendmail")
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// answers tells whether somebody listens at a socket, also one that is not for us.
func answers(path string) bool {
	c, err := net.Dial("unix", path)
	if err == nil {
		c.Close()
	}
	return err == nil || errors.Is(err, os.ErrPermission)
}

// relaySMTP lets the caller speak SMTP itself (-bs).
func relaySMTP(c net.Conn, in io.Reader, out io.Writer) (int, error) {
	go func() {
		io.Copy(c, in)
		if u, ok := c.(*net.UnixConn); ok {
			u.CloseWrite()
		}
	}()
	if _, err := io.Copy(out, c); err != nil {
		return exIOErr, err
	}
	return 0, nil
}

func queueCode(err error) (int, error) {
	switch {
	case err == nil:
		return 0, nil
	case errors.Is(err, admin.ErrPermission):
		return exNoPerm, err
	case errors.Is(err, admin.ErrNotRunning):
		return exUnavailable, err
	case errors.As(err, new(*fs.PathError)): // standard output
		return exIOErr, err
	}
	return exTempFail, err
}

// printQueue shows the queue as scripts know it from Postfix.
func printQueue(ctx context.Context, out io.Writer) error {
	list, err := new(place).client().QueueList(ctx, "", 0)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		_, err := fmt.Fprintln(out, "Mail queue is empty")
		return err
	}
	w := bufio.NewWriter(out)
	fmt.Fprintln(w, "-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------")
	var total int64
	for _, e := range list {
		mark, from := " ", e.From
		switch e.To[0].State {
		case "active":
			mark = "*"
		case "held":
			mark = "!"
		}
		if from == "" {
			from = "MAILER-DAEMON"
		}
		total += e.Size
		fmt.Fprintf(w, "%s%s %8d %s  %s\n", e.ID, mark, e.Size, e.Since.Local().Format("Mon Jan _2 15:04:05"), from)
		for _, to := range e.To {
			if to.Reason != "" {
				fmt.Fprintf(w, "(%s)\n", to.Reason)
			}
			fmt.Fprintf(w, "%41s%s\n", "", to.Address)
		}
		fmt.Fprintln(w)
	}
	plural := "s"
	if len(list) == 1 {
		plural = ""
	}
	fmt.Fprintf(w, "-- %d Kbytes in %d Request%s.\n", (total+1023)/1024, len(list), plural)
	return w.Flush()
}
