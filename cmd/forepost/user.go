package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/forepost/forepost/cmd/internal/admin"
	"github.com/forepost/forepost/cmd/internal/appliance"
	"github.com/spf13/cobra"
)

// userBook is what the user commands need: the running gateway, or, where none
// runs, the data directory itself.
type userBook interface {
	Users(ctx context.Context) ([]admin.User, error)
	User(ctx context.Context, name string) (admin.UserDetail, error)
	AddUser(ctx context.Context, u admin.NewUser) error
	SetPassword(ctx context.Context, name, password string) error
	DisableUser(ctx context.Context, name string, disabled bool) error
	LimitUser(ctx context.Context, name string, l admin.UserLimit) error
	RemoveUser(ctx context.Context, name string) error
}

// book finds the accounts. close is called when the command is done.
func book(ctx context.Context, at *place) (b userBook, close func() error, err error) {
	client := at.client()
	if _, err := client.Status(ctx); !errors.Is(err, admin.ErrNotRunning) {
		return client, func() error { return nil }, err
	}
	data := at.data
	if data == "" {
		data = defaultData
	}
	o, err := appliance.OpenOffline(ctx, data)
	if err != nil {
		return nil, nil, fmt.Errorf("the gateway does not run, and its data directory cannot be opened: %w", err)
	}
	return o, o.Close, nil
}

func userCommand() *cobra.Command {
	var at place
	c := &cobra.Command{Use: "user", Short: "Accounts: who has a mailbox and may send"}
	at.flags(c)
	with := func(f func(ctx context.Context, b userBook, args []string) error) func(*cobra.Command, []string) error {
		return func(c *cobra.Command, args []string) error {
			b, done, err := book(c.Context(), &at)
			if err != nil {
				return err
			}
			return errors.Join(f(c.Context(), b, args), done())
		}
	}
	c.AddCommand(userAdd(with), userList(&at), userShow(&at), userLimit(with))
	c.AddCommand(&cobra.Command{
		Use: "passwd ADDRESS", Short: "Change a password; it is read from standard input", Args: exactly(1),
		RunE: with(func(ctx context.Context, b userBook, args []string) error {
			pw, err := readPassword()
			if err != nil {
				return err
			}
			return b.SetPassword(ctx, args[0], pw)
		}),
	}, &cobra.Command{
		Use: "disable ADDRESS", Short: "Stop an account from logging in; mail for it is still taken", Args: exactly(1),
		RunE: with(func(ctx context.Context, b userBook, args []string) error { return b.DisableUser(ctx, args[0], true) }),
	}, &cobra.Command{
		Use: "enable ADDRESS", Short: "Let a disabled account log in again", Args: exactly(1),
		RunE: with(func(ctx context.Context, b userBook, args []string) error { return b.DisableUser(ctx, args[0], false) }),
	}, &cobra.Command{
		Use: "remove ADDRESS", Short: "Remove an account; its mail stays in the store", Args: exactly(1),
		RunE: with(func(ctx context.Context, b userBook, args []string) error { return b.RemoveUser(ctx, args[0]) }),
	})
	return c
}

type bookFunc = func(f func(ctx context.Context, b userBook, args []string) error) func(*cobra.Command, []string) error

func userAdd(with bookFunc) *cobra.Command {
	var u admin.NewUser
	c := &cobra.Command{
		Use: "add ADDRESS", Short: "Make an account; its password is read from standard input", Args: exactly(1),
		RunE: with(func(ctx context.Context, b userBook, args []string) (err error) {
			u.Name = args[0]
			if u.Password, err = readPassword(); err != nil {
				return err
			}
			return b.AddUser(ctx, u)
		}),
	}
	c.Flags().StringSliceVar(&u.Aliases, "alias", nil, "a further address of the account (repeat, or with commas)")
	c.Flags().Int64Var(&u.Quota, "quota", 0, "how many octets it may keep; 0: no limit")
	return c
}

func userLimit(with bookFunc) *cobra.Command {
	var l admin.UserLimit
	c := &cobra.Command{
		Use: "limit ADDRESS", Short: "Set how much an account may send; what is not named is as usual (the store block)", Args: exactly(1),
		RunE: with(func(ctx context.Context, b userBook, args []string) error { return b.LimitUser(ctx, args[0], l) }),
	}
	c.Flags().StringVar(&l.Messages, "messages", "", "so many messages in a time: 300/1h, or none")
	c.Flags().StringVar(&l.Recipients, "recipients", "", "so many recipients in a time: 1000/1d, or none")
	c.Flags().StringVar(&l.Bytes, "bytes", "", "so many octets in a time: 500MiB/1d, or none")
	return c
}

func userList(at *place) *cobra.Command {
	var o output
	c := &cobra.Command{
		Use: "list", Short: "List the accounts", Args: exactly(0),
		RunE: func(c *cobra.Command, args []string) error {
			b, done, err := book(c.Context(), at)
			if err != nil {
				return err
			}
			us, err := b.Users(c.Context())
			if err := errors.Join(err, done()); err != nil {
				return err
			}
			return show(c, &o, us, table[admin.User]{head: []string{"NAME", "ALIASES", "STATE", "SENT"}, rows: userRow, none: "there are no accounts"})
		},
	}
	o.flags(c)
	return c
}

func userRow(u admin.User) [][]string {
	var state, sent []string
	if u.Disabled {
		state = append(state, "disabled")
	}
	if u.Config {
		state = append(state, "configuration")
	}
	for _, s := range u.Sent {
		sent = append(sent, sentLine(s))
	}
	return [][]string{{u.Name, strings.Join(u.Aliases, ","), strings.Join(state, ","), strings.Join(sent, ", ")}}
}

func sentLine(s admin.Sent) string {
	return fmt.Sprintf("%d of %d %s in %s", s.Used, s.Max, s.What, s.Per)
}

// readPassword reads one line; a password is never an argument, which others
// could see in the list of processes.
func readPassword() (string, error) {
	if onTerminal(os.Stdin) {
		fmt.Fprint(os.Stderr, "Password (it will be seen): ")
	}
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", fmt.Errorf("no password on standard input: %w", errors.Join(err, errors.New("give one, with a line end")))
	}
	return line, nil
}
