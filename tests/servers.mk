# Publishing to real servers; included by the Makefile.
SERVER_T = $(sort $(wildcard tests/servers/*.t))
SERVER_LONG = $(addprefix %/,conform.t sftp.t vsftpd.t proftpd.t pyftpd.t \
    stop_others.t nginx_cuts.t proftpd_cuts.t s3_cuts.t)
SERVER_TESTS = $(call longest_first,$(SERVER_LONG),$(filter-out %_cuts.t,$(SERVER_T)))
CUT_TESTS = $(call longest_first,$(SERVER_LONG),$(filter %_cuts.t,$(SERVER_T)))
SERVER_TOOLS = $(filter-out %/cut,$(call prog,tests/servers/*.c)) \
	$(BUILD)/tests/servers/cut.so

$(BUILD)/%: $(BUILD)/%.o
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $<

$(BUILD)/%.so: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -fPIC -shared -o $@ $<

# They wait more than they work: twice as many at once.
servers: ## publishing to real servers on loopback
	+@$(SUBMAKE) servers-run TESTS='$(SERVER_TESTS)'

cuts: ## the same, publishers and servers cut at whatever they send
	+@$(SUBMAKE) servers-run TESTS='$(CUT_TESTS)'

servers-run:
	@sh tests/deps.sh check servers
	+@$(PARMAKE) all $(SERVER_TOOLS) $(BENCH) $(BUILD)/tests/store/conform
	@BUILD=$(BUILD) prove -j$$((2 * $(JOBS))) $(TESTS)

.PHONY: servers cuts servers-run
