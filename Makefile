# ota-pack.  `make help` lists the targets.
VERSION = 0.1.0

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/ota-pack
SYSTEMDUNITDIR ?= $(PREFIX)/lib/systemd/system
CC ?= cc
CFLAGS ?= -O2 -g
BUILD ?= build
JOBS ?= $(shell nproc 2>/dev/null || echo 2)

WARN = -Wall -Wextra -Wpedantic -Wshadow -Wvla -Wstrict-prototypes \
       -Wmissing-prototypes -Wwrite-strings -Wformat=2
CPP_HOST = -Iinclude -Isrc -D_GNU_SOURCE
C_BUNDLE = -std=c99 $(WARN) -Wconversion -Wsign-conversion -Iinclude
C_HOST = -std=c11 $(WARN) $(CPP_HOST)
LDLIBS_HOST = -lcurl -lsodium -lz -lyaml -lpthread

obj = $(patsubst %.c,$(BUILD)/%.o,$(wildcard $(1)))
prog = $(patsubst %.c,$(BUILD)/%,$(wildcard $(1)))
HOST = base config keys store pack index plan publish
LIBS = $(BUILD)/libhost.a $(BUILD)/libota-bundle.a
UNIT = $(call prog,tests/unit/*.c tests/store/*.c)
REPLAY = $(call prog,tests/fuzz/fuzz_*.c)
BENCH = $(call prog,tests/bench/*.c)
CLI_TESTS = $(sort $(wildcard tests/cli/*.t))
UNITS = $(wildcard src/device/agent/systemd/ota-agent-*)
MAN = $(notdir $(wildcard man/*.[1357]))
# libsodium and zlib are not private: the library is static only
PKGCONFIG = 'libdir=$(LIBDIR)' 'includedir=$(INCLUDEDIR)' '' \
    'Name: ota-bundle' 'Description: reads and installs signed update bundles' \
    'Version: $(VERSION)' 'Requires: libsodium zlib' \
    'Libs: -L$${libdir} -lota-bundle' 'Cflags: -I$${includedir}'
# Of the second list first what the first one has: so that none of the longest is
# left to run alone.
longest_first = $(filter $(1),$(2)) $(filter-out $(1),$(2))
CHECKED = $(UNIT) $(REPLAY) $(CLI_TESTS) $(POWER) $(AGENT_TESTS)
LONGEST = %/power/cut %/unit/property %/unit/payload_own %/cli/stop.t \
    %/cli/rollback.t %/cli/prune.t %/cli/repair.t %/cli/blocks.t \
    %/cli/minisign.t %/agent/kill.t %/agent/space.t %/agent/vectors.t
SUBMAKE = $(MAKE) --no-print-directory
PARMAKE = $(SUBMAKE) -s $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(JOBS))

all: $(BUILD)/ota-pack $(BUILD)/ota-agent $(BUILD)/libota-bundle.a ## programs and library

$(BUILD)/src/bundle/%.o: src/bundle/%.c
	@mkdir -p $(@D)
	$(CC) $(C_BUNDLE) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(C_HOST) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/src/cli/help.o: CPPFLAGS += -DOTA_PACK_VERSION='"$(VERSION)"'

$(BUILD)/libota-bundle.a: $(call obj,src/bundle/*.c)
$(BUILD)/libhost.a: $(call obj,$(HOST:%=src/%/*.c))
$(BUILD)/%.a:
	@rm -f $@
	$(AR) qcsD $@ $^

$(BUILD)/ota-pack: $(call obj,src/cli/*.c) $(LIBS)
$(UNIT) $(REPLAY) $(BENCH): $(BUILD)/%: $(BUILD)/%.o $(LIBS)
$(BUILD)/tests/unit/example_install: $(call obj,src/device/*.c)
$(REPLAY): $(BUILD)/tests/fuzz/replay.o $(BUILD)/tests/fuzz/craft.o
$(BUILD)/ota-pack $(UNIT) $(REPLAY) $(BENCH):
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LIBS) $(LDLIBS_HOST)

programs: all $(UNIT) $(REPLAY) $(BENCH)

deps: ## install what building and testing need (make lint, fuzz: their own)
	@sh tests/deps.sh check

demo: ## publish the example fleet; three simulated devices take it
	@sh tests/deps.sh build
	+@$(PARMAKE) all $(AGENT)
	@BUILD=$(BUILD) sh tests/demo/run.sh

check: ## build everything and run the tests
	@sh tests/deps.sh check
	+@$(PARMAKE) programs
	+@$(SUBMAKE) prove

prove:
	@echo 'prove: units, the fuzz corpus, tests/cli; power cuts; the agent'
	@BUILD=$(BUILD) prove -j$(JOBS) $(call longest_first,$(LONGEST),$(CHECKED))

bench: ## what publishing costs; STRICT=1: fail above the limits
	@sh tests/deps.sh build
	+@$(PARMAKE) all $(BENCH)
	@BUILD=$(BUILD) STRICT=$(STRICT) sh tests/bench/run.sh

install: all ## into DESTDIR and PREFIX: programs, library, headers, manual, units
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBDIR)/pkgconfig \
	    $(DESTDIR)$(INCLUDEDIR)/ota
	install -m 755 $(BUILD)/ota-pack $(BUILD)/ota-agent $(DESTDIR)$(BINDIR)/
	install -m 644 $(BUILD)/libota-bundle.a $(DESTDIR)$(LIBDIR)/
	install -m 644 include/ota/*.h $(DESTDIR)$(INCLUDEDIR)/ota/
	printf '%s\n' $(PKGCONFIG) >$(DESTDIR)$(LIBDIR)/pkgconfig/ota-bundle.pc
	for page in $(MAN); do \
	    dir=$(DESTDIR)$(MANDIR)/man$${page##*.}; \
	    install -d $$dir && install -m 644 man/$$page $$dir/ || exit 1; \
	done
	install -d $(DESTDIR)$(SYSTEMDUNITDIR) $(DESTDIR)$(DOCDIR)
	for unit in $(UNITS); do \
	    to=$(DESTDIR)$(SYSTEMDUNITDIR)/$${unit##*/}; \
	    sed 's|/usr/local/bin|$(BINDIR)|' $$unit >$$to && \
	    chmod 644 $$to || exit 1; \
	done
	install -m 644 ota-pack.yml.example src/device/agent/systemd/greenhouse.service \
	    $(DESTDIR)$(DOCDIR)/

uninstall: ## what install put there, with the same variables
	rm -f $(DESTDIR)$(BINDIR)/ota-pack $(DESTDIR)$(BINDIR)/ota-agent \
	    $(DESTDIR)$(LIBDIR)/libota-bundle.a \
	    $(DESTDIR)$(LIBDIR)/pkgconfig/ota-bundle.pc \
	    $(addprefix $(DESTDIR)$(INCLUDEDIR)/ota/,$(notdir $(wildcard include/ota/*.h))) \
	    $(foreach page,$(MAN),$(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $(page)))/$(page)) \
	    $(addprefix $(DESTDIR)$(SYSTEMDUNITDIR)/,$(notdir $(UNITS))) \
	    $(addprefix $(DESTDIR)$(DOCDIR)/,ota-pack.yml.example greenhouse.service)
	-rmdir $(DESTDIR)$(INCLUDEDIR)/ota $(DESTDIR)$(DOCDIR)

clean: ## remove what was built
	rm -rf $(BUILD)

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' \
	    $(MAKEFILE_LIST)
	@echo 'Variables: PREFIX DESTDIR LIBDIR MANDIR DOCDIR SYSTEMDUNITDIR BUILD CC' \
	    'CFLAGS LDFLAGS JOBS'

include tests/device.mk tests/servers.mk tests/lint.mk tests/sanitize.mk

.PHONY: all programs deps demo check prove bench install uninstall clean help
.SECONDARY:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
