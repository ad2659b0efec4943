"""The two helps of a command: ``-h`` shows the most used options on one screen, ``--help`` shows everything."""

from inspect import cleandoc

import click

from toy_paxos.command.options import NETWORK, Number

# The options in the short help, which also has those that are required.
MOST_USED = {
    *("num_acceptors", "acceptor_failure_prob", "num_proposers", "message_loss_prob", "max_attempts"),
    *("rule_name", "acceptor", "proposer", "rounds", "seed", "round", "quiet", "diagram", "json", "output"),
    *("kill_every", "zookeeper", "log", "tls", "at", "listen", "index", "run"),
}

# The groups of options, in the order in which help lists them; the short help has only the first.
GROUPS = ("Options", "Acceptor", "Logs", "Cluster", NETWORK, "Network", "Search", "Run", "Output", "Other")

IS_SHORT = "toy_paxos.command.help"


def show_short_help(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    """Show the short help and end the command, if -h is given."""
    if value and not ctx.resilient_parsing:
        ctx.meta[IS_SHORT] = True
        click.echo(ctx.get_help(), color=ctx.color)
        ctx.exit()


SHORT_HELP = click.Option(
    ["-h"],
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=show_short_help,
    help="Show the most used options and exit.",
)


class Command(click.Command):
    """A command with both helps; its usage errors have its context, so that they can point to its help."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; raise click.UsageError, with the context, if they are wrong."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx
            raise

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the parameters, and ``-h``."""
        *params, all_help = super().get_params(ctx)
        return [*params, SHORT_HELP, all_help]

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help, as narrow as the terminal; click itself writes lines of 50 letters at least."""
        # Imported here because only the help needs it.
        from shutil import get_terminal_size

        formatter.width = max(20, min(formatter.width, get_terminal_size().columns))
        super().format_help(ctx, formatter)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the description; the short help has only two paragraphs and the examples."""
        texts = cleandoc(self.help or "").split("\n\n")
        if ctx.meta.get(IS_SHORT):
            texts = texts[:2] + [text for text in texts[2:] if text.startswith("\b")]
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text("\n\n".join(texts))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options in groups; the short help has the most used ones in one group."""
        groups: dict[str, list[tuple[str, str]]] = {group: [] for group in GROUPS}
        for param in sorted(self.get_params(ctx), key=lambda param: not param.required):
            if not isinstance(param, click.Option):
                continue
            if not ctx.meta.get(IS_SHORT):
                groups[getattr(param, "group", "Other")].append(described(param, ctx))
            elif param.required or param.name in MOST_USED:
                groups["Options"].append(described(param, ctx))
        for title, records in groups.items():
            if records:
                with formatter.section(title):
                    # With little room, each explanation stands below its option.
                    formatter.write_dl(records, col_max=30 if formatter.width >= 58 else 2)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the exit statuses; in the short help, point to the long one."""
        if ctx.meta.get(IS_SHORT):
            formatter.write_paragraph()
            formatter.write_text(f"'{ctx.command_path} --help' lists all options and the exit statuses.")
        else:
            super().format_epilog(ctx, formatter)


def described(param: click.Option, ctx: click.Context) -> tuple[str, str]:
    """Return the names of an option and its help, with its default, and, in the long help, its limits."""
    names, _ = param.get_help_record(ctx) or ("", "")
    is_short = ctx.meta.get(IS_SHORT)
    words, default = (param.help or "").rstrip("."), param.get_help_extra(ctx).get("default")
    said = [param.type.limits] if isinstance(param.type, Number) and param.type.limits and not is_short else []
    said += [f"default: {default.strip('()').removesuffix('.0')}"] if default else []
    said += ["required"] if param.required else []
    return names, f"{words} ({'; '.join(said)})." if said else f"{words}."
