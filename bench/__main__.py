"""The command line behind `make bench`."""

if __name__ == "__main__":
    # Here, and not above: the client processes import this module again and need none of it.
    from bench.cli import main

    main()
