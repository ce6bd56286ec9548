package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"github.com/forepost/forepost/cmd/internal/admin"
	"github.com/spf13/cobra"
)

// Exit codes of sendmail (sysexits), which programs rely on.
const (
	exSoftUsage   = 64 // the command line
	exDataErr     = 65 // the message
	exNoUser      = 67 // a recipient
	exUnavailable = 69
	exTempFail    = 75 // try again
	exNoPerm      = 77
)

// calledAs are the names under which this program is sendmail.
var calledAs = map[string]bool{"sendmail": true, "mailq": true, "newaliases": true}

func sendmailCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "sendmail [OPTIONS] [ADDRESS...]",
		Short: "Take a message from a program, as sendmail does (also by the names sendmail, mailq, newaliases)",
		Long: "Take a message from standard input and hand it to the running gateway. When it ends with 0 the message is safe.\n" +
			"Options as other sendmails have them: -t -i -f ADDRESS -F NAME -B BODY -N NOTIFY -R RET -V ENVID -bm -bs -bp.",
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
func sendmail(ctx context.Context, name string, args []string, in io.Reader, out, errs io.Writer) int {
	code, err := runSendmail(ctx, name, args, in, out)
	if err != nil {
		fmt.Fprintf(errs, "%s: %v\n", name, err)
	}
	return code
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
	if l.mode == 's' {
		return relaySMTP(c, in, out)
	}
	return l.submit(c, bufio.NewReader(in))
}

// dialSendmail connects to the gateway's door for programs. That it does not run
// is no loss: the caller is told to try again.
func dialSendmail() (net.Conn, int, error) {
	path := filepath.Join(filepath.Dir(new(place).path()), "sendmail.sock")
	c, err := net.Dial("unix", path)
	switch {
	case err == nil:
		return c, 0, nil
	case errors.Is(err, os.ErrPermission):
		return nil, exNoPerm, fmt.Errorf("this user may not send: %w", err)
	case errors.Is(err, os.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return nil, exTempFail, fmt.Errorf("the gateway does not run, the message was not taken, try again later (%s)", path)
	}
	return nil, exTempFail, err
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
		return exTempFail, err
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
