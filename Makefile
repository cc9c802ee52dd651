# make deps     install what the build needs and this machine lacks (a second call does nothing)
# make build    compile .build/release/martlet
# make run      serve examples/hello on http://127.0.0.1:8787
# make test     run every test
# make lint     check the layout of the Swift code (the tree's other rules are tests: Tests/TidyTests)
# make format   lay the Swift code out
# make wpt      run web-platform-tests: those in Debian's source package of nodejs, or WPT=DIR, any checkout
# make bench    measure, and write docs/benchmarks.md
# make soak     a minute of good and hostile load, and a look at what is left of it; TIME=1800 for half an hour
# make fuzz     libFuzzer on what reads bytes of others, 5 minutes in all; TIME=1800 for half an hour
# make drills   parts of the network are gone for a while: the long form of those tests, and docs/drills.md
# make install  copy the program, its service and its docs under PREFIX (/usr/local); DESTDIR=DIR for a package
# make clean    remove what was built; .deps stays
#
# There is one configuration, release, for everything: what is tested is what is served. Tests reach what is not
# public by `package` access, not by @testable: with testable imports switched off, `swift test` takes the objects
# that `swift build` made instead of compiling all of it a second time.

.DEFAULT_GOAL := build
PREFIX := /usr/local
.PHONY: deps build run test lint format wpt bench soak fuzz drills install clean

# Every test that ran, for .ci/run: of what the tests print, swift test may drop a piece.
test_results := .build/tests.xml
swift_code := Package.swift Sources Tests $(wildcard Benchmarks)

deps:
	@tools/deps.sh

build: deps
	swift build --configuration release

run: build
	.build/release/martlet dev examples/hello

test: build
	@tools/real-code.sh
	@rm -f $(test_results)
	swift test --configuration release --disable-testable-imports --disable-xctest --xunit-output $(test_results)

lint:
	swift format lint --strict --parallel --recursive $(swift_code)

format:
	swift format --in-place --parallel --recursive $(swift_code)

wpt: build
ifndef WPT
	@tools/wpt/debian
endif
	@tools/wpt/run $(or $(WPT),.deps/wpt)

bench: build
	Benchmarks/run

soak: build
	Benchmarks/soak $(if $(TIME),--seconds $(TIME) --write)

# TIME seconds in all.
fuzz: deps
	@tools/fuzz $(or $(TIME),300)

drills: build
	@tools/drills

# Builds nothing: whoever may write there need not be who builds.
install:
	@[ -x .build/release/martlet ] || { echo "There is no program yet: run 'make' first." >&2; exit 1; }
	install -D -m 755 .build/release/martlet $(DESTDIR)$(PREFIX)/bin/martlet
	@if [ -d .deps/v8 ]; then install -d $(DESTDIR)$(PREFIX)/lib/martlet && \
	  cp -P .deps/v8/usr/lib/*/lib*.so* $(DESTDIR)$(PREFIX)/lib/martlet/; fi
	install -d $(DESTDIR)/lib/systemd/system $(DESTDIR)$(PREFIX)/share/doc/martlet
	sed 's|@PREFIX@|$(PREFIX)|g' packaging/martlet.service > $(DESTDIR)/lib/systemd/system/martlet.service
	install -m 644 README.md docs/*.md $(DESTDIR)$(PREFIX)/share/doc/martlet/

clean:
	rm -rf .build
