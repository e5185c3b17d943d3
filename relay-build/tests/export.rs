//! Every plan can be written as a configuration that reads back as the same plan.
//!
//! Random plans hold what a configuration can say, each field now with its default and now without. A plan names its
//! destinations in the order of their first use, and uses each: that is what a front end makes.

use relay_build::config::{Checked, Options, Source, check_text};
use relay_runtime::{
    export::to_toml,
    plan::Plan,
    settings::{Amqp, Instrumentation, Settings},
    table::{
        Aggregator, AggregatorOptions, BucketTime, CloudWatch, Condition, Destination, DestinationIndex,
        DestinationOptions, FullPolicy, Function, GrafanaNet, HashAlgorithm, HashRing, KafkaMdm, Late,
        Lateness, LegacyLevel, Matcher, Metrics20Level, NumberFormat, Partitioning, Pattern, Percentile,
        PercentileMethod, PubSub, Replay, Rewriter, Route, RouteDestination, RouteKind, Size, Table,
        Template, Timestamps, Transport, Validation,
    },
};

const PLANS: u64 = 1_000;

#[test]
fn a_plan_that_is_written_reads_back_equal() {
    for seed in 0..PLANS {
        let plan = Random::new(seed).plan();
        let text = to_toml(&plan);
        let read = check(&text);
        let errors: Vec<_> = read
            .diagnostics
            .iter()
            .filter(|one| one.severity >= relay_build::diagnostics::Severity::Error)
            .map(|one| &one.message)
            .collect();
        assert!(errors.is_empty(), "seed {seed}: {errors:#?}\n{text}");
        assert_eq!(read.plan, plan, "seed {seed}:\n{text}");
        assert_eq!(to_toml(&read.plan), text, "seed {seed}: written again");
    }
}

#[test]
fn a_configuration_says_only_what_is_not_its_default() {
    let settings = Settings { instance: "relay1".into(), ..Settings::default() };
    let destination = Destination::new("127.0.0.1:2103");
    let kind = RouteKind::SendAllMatch {
        destinations: vec![RouteDestination {
            destination: DestinationIndex(0),
            matcher: Matcher::default(),
        }],
    };
    let matcher = Matcher { prefix: Some("servers.".to_owned()), ..Matcher::default() };
    let table = Table {
        routes: vec![Route::new("all", matcher, kind)],
        destinations: vec![destination],
        ..Table::default()
    };
    let want = "instance = \"relay1\"\nlog_level = \"info\"\nbad_metrics_max_age = \"86400s\"\n\n[[route]]\n\
                key = \"all\"\ntype = \"sendAllMatch\"\nprefix = \"servers.\"\n\n[[route.destination]]\n\
                address = \"127.0.0.1:2103\"\n";
    assert_eq!(to_toml(&Plan { settings, table }), want);
}

fn check(text: &str) -> Checked {
    let source = Source { path: "relay.toml".into(), text: text.to_owned() };
    check_text(source, &Options::default())
}

/// A source of choices.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self((seed + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) % end
    }

    fn flag(&mut self) -> bool {
        self.below(3) == 0
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        let at = self.below(from.len() as u64);
        from[usize::try_from(at).unwrap()].clone()
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.flag().then(|| make(self))
    }

    /// A text with what TOML has to escape.
    fn text(&mut self) -> String {
        let texts = ["a.b", "servers.", "é\"'\\", "tab\there", "${1}", "#", "[x]", "x = 1", "\u{7f}\u{1}"];
        self.pick(&texts).to_owned()
    }

    fn template(&mut self) -> Template {
        self.pick(&["host-a", "${DC}.x", "/var/\"lib\"/x", "${HOME_DIR}"]).into()
    }

    fn number(&mut self) -> Late<u64> {
        match self.below(4) {
            0 => Late::AtStart("${SIZE}".into()),
            _ => (1 + self.below(100_000)).into(),
        }
    }

    /// The default, or another value.
    fn late(&mut self, default: Late<u64>) -> Late<u64> {
        self.maybe(Self::number).unwrap_or(default)
    }

    fn duration(&mut self, default: Late<u64>) -> Late<u64> {
        self.maybe(|random| random.below(90_000).into()).unwrap_or(default)
    }

    fn plan(&mut self) -> Plan {
        Plan { settings: self.settings(), table: self.table() }
    }

    fn settings(&mut self) -> Settings {
        let defaults = Settings::default();
        let address = |random: &mut Self| random.pick(&[":3003", "127.0.0.1:3003", "[::1]:3003"]).into();
        Settings {
            instance: self.template(),
            log_level: self.pick(&["trace", "debug", "info", "warn", "error", "fatal", "panic"]).to_owned(),
            listen: self.maybe(address),
            listen_idle_ms: self.duration(defaults.listen_idle_ms),
            pickle: self.maybe(address),
            pickle_idle_ms: self.duration(defaults.pickle_idle_ms),
            admin: self.maybe(address),
            http: self.maybe(address),
            spool_dir: self.maybe(Self::template).unwrap_or_default(),
            spool_bytes_max: self.late(defaults.spool_bytes_max),
            memory: self
                .maybe(|random| Size((1 << 50) + random.below(1 << 40)).into())
                .unwrap_or(defaults.memory),
            pid_file: self.maybe(Self::template),
            workers: self.late(defaults.workers),
            bad_metrics_max_age_ms: 1 + self.below(1_000_000),
            connections_max: self.late(defaults.connections_max),
            line_bytes_max: self
                .maybe(|random| (32 + random.below(1_000)).into())
                .unwrap_or(defaults.line_bytes_max),
            pickle_frame_bytes_max: self
                .maybe(|random| (1_024 + random.below(1_000)).into())
                .unwrap_or(defaults.pickle_frame_bytes_max),
            shutdown_ms: self.duration(defaults.shutdown_ms),
            aggregation_rate: self.late(defaults.aggregation_rate),
            state_dir: self.maybe(Self::template),
            aggregation_checkpoint_ms: self.duration(defaults.aggregation_checkpoint_ms),
            amqp: self.maybe(Self::amqp),
            instrumentation: self.maybe(|random| Instrumentation {
                address: "127.0.0.1:2003".into(),
                interval_ms: 1_000 + random.below(60_000),
            }),
        }
    }

    fn amqp(&mut self) -> Amqp {
        Amqp {
            host: self.template(),
            port: u16::try_from(self.below(65_536)).unwrap(),
            vhost: self.maybe(Self::template).unwrap_or_default(),
            user: self.maybe(Self::template).unwrap_or_default(),
            password: "${AMQP_PASSWORD}".into(),
            exchange: self.template(),
            queue: self.maybe(Self::template).unwrap_or_default(),
            key: self.template(),
            durable: self.flag(),
            exclusive: self.flag(),
            heartbeat_s: self.below(3),
            retry: self.flag(),
            retry_delay_s: self.below(3),
        }
    }

    fn table(&mut self) -> Table {
        let mut table = Table {
            validation: Validation {
                legacy: self.pick(&[LegacyLevel::None, LegacyLevel::Medium, LegacyLevel::Strict]),
                metrics20: self.pick(&[Metrics20Level::None, Metrics20Level::Medium]),
                order: self.flag(),
                finite: self.flag(),
                timestamps: self.pick(&[Timestamps::Seconds, Timestamps::Auto]),
            },
            ..Table::default()
        };
        for _ in 0..self.below(3) {
            let mut entry = Matcher::default();
            self.condition(&mut entry);
            table.blocklist.push(entry);
        }
        for _ in 0..self.below(3) {
            table.rewriters.push(self.rewriter());
        }
        for _ in 0..self.below(3) {
            table.aggregators.push(self.aggregator());
        }
        for at in 0..self.below(5) {
            let key = if self.flag() { String::new() } else { format!("r{at} {}", self.text()) };
            let (matcher, kind) = (self.matcher(), self.kind(&mut table.destinations));
            table.routes.push(Route { key, matcher, stop: self.flag(), kind });
        }
        table
    }

    fn condition(&mut self, matcher: &mut Matcher) {
        let condition = self.pick(&Condition::ALL);
        let text = match condition {
            Condition::Regex | Condition::NotRegex => self.pick(&[r"^a\.(b|c)$", r"\.count$"]).to_owned(),
            Condition::Prefix | Condition::NotPrefix | Condition::Sub | Condition::NotSub => self.text(),
        };
        matcher.set(condition, text);
    }

    fn matcher(&mut self) -> Matcher {
        let mut matcher = Matcher::default();
        for _ in 0..self.below(4) {
            self.condition(&mut matcher);
        }
        matcher
    }

    fn rewriter(&mut self) -> Rewriter {
        let not = self.maybe(|random| Pattern::Text(random.text()));
        if self.flag() {
            let old = Pattern::Regex(r"^(a)\.(b)$".to_owned());
            return Rewriter { old, new: "${1}_$2".to_owned(), not, max: None };
        }
        let max = self.maybe(|random| u32::try_from(1 + random.below(9)).unwrap());
        Rewriter { old: Pattern::Text(self.text()), new: self.pick(&["", "x_", "é"]).to_owned(), not, max }
    }

    fn aggregator(&mut self) -> Aggregator {
        let percentile = Function::Percentile(Percentile::parse("99.9").unwrap());
        let functions = if self.flag() {
            vec![Function::Max, percentile, Function::Median]
        } else {
            vec![self.pick(&[Function::Avg, Function::Sum, Function::Percentiles, percentile])]
        };
        let interval = u32::try_from(1 + self.below(60)).unwrap();
        Aggregator {
            functions,
            matcher: Matcher { regex: Some(r"^(a)\.(b)$".to_owned()), ..self.matcher() },
            format: "sum.$1".to_owned(),
            interval,
            wait: interval + u32::try_from(self.below(60)).unwrap(),
            cache: self.flag(),
            drop_raw: self.flag(),
            options: self.aggregator_options(),
        }
    }

    fn aggregator_options(&mut self) -> AggregatorOptions {
        let defaults = AggregatorOptions::default();
        let mut count =
            |default| self.maybe(|random| u32::try_from(1 + random.below(99)).unwrap()).unwrap_or(default);
        let [future_max_s, buckets_max, series_max, values_max] =
            [defaults.future_max_s, defaults.buckets_max, defaults.series_max, defaults.values_max]
                .map(&mut count);
        let keep_s = count(7);
        AggregatorOptions {
            bucket_time: self.pick(&[BucketTime::Start, BucketTime::Middle, BucketTime::End]),
            lateness: self.pick(&[Lateness::Drop, Lateness::Reemit { keep_s }]),
            number_format: self.pick(&[NumberFormat::Shortest, NumberFormat::Fixed6]),
            percentiles: self
                .maybe(|_| vec![Percentile::whole(50), Percentile::parse("99.5").unwrap()])
                .unwrap_or(defaults.percentiles),
            percentile_method: self.pick(&[
                PercentileMethod::Nist,
                PercentileMethod::Linear,
                PercentileMethod::Nearest,
            ]),
            future_max_s,
            buckets_max,
            series_max,
            values_max,
        }
    }

    fn kind(&mut self, destinations: &mut Vec<Destination>) -> RouteKind {
        let count = 2 + self.below(3);
        match self.below(10) {
            0 => RouteKind::SendAllMatch { destinations: self.with_matchers(destinations) },
            1 => RouteKind::SendFirstMatch { destinations: self.with_matchers(destinations) },
            2 => RouteKind::RoundRobin { destinations: self.plain(count, destinations) },
            3 => RouteKind::Failover { destinations: self.plain(count, destinations) },
            4 => RouteKind::Blackhole,
            5 => RouteKind::GrafanaNet(self.grafana_net()),
            6 => RouteKind::KafkaMdm(self.kafka_mdm()),
            7 => RouteKind::PubSub(self.pub_sub()),
            8 => RouteKind::CloudWatch(self.cloud_watch()),
            _ => {
                let replicas = self.pick(&[1, 2]);
                RouteKind::ConsistentHash(HashRing {
                    algorithm: self.pick(&HashAlgorithm::ALL),
                    replicas,
                    diverse: replicas > 1 && self.flag(),
                    destinations: self.ring(count, destinations),
                })
            }
        }
    }

    fn with_matchers(&mut self, destinations: &mut Vec<Destination>) -> Vec<RouteDestination> {
        let indices = self.plain(3, destinations);
        indices
            .into_iter()
            .map(|destination| RouteDestination { destination, matcher: self.matcher() })
            .collect()
    }

    fn plain(&mut self, count: u64, destinations: &mut Vec<Destination>) -> Vec<DestinationIndex> {
        let mut one = || {
            let address = self.pick(&["127.0.0.1:2003", "h:2004", "[::1]:2005", "${DC}.x:2003"]);
            let destination = self.destination(address);
            intern(destinations, destination)
        };
        (0..count).map(|_| one()).collect()
    }

    /// The destinations of a ring: addresses that are known now, with instances that differ.
    fn ring(&mut self, count: u64, destinations: &mut Vec<Destination>) -> Vec<DestinationIndex> {
        let one = |at: u64| {
            let destination = Destination {
                instance: Some(format!("i{at}")),
                ..self.destination(&format!("10.0.0.{at}:2003"))
            };
            intern(destinations, destination)
        };
        (0..count).map(one).collect()
    }

    fn destination(&mut self, address: &str) -> Destination {
        let mut destination = Destination::new(address);
        destination.instance = self.maybe(|random| random.pick(&["a", "b-1"]).to_owned());
        match self.below(4) {
            0 => destination.options = self.options(),
            1 => destination.transport = Transport::Udp,
            _ => {}
        }
        destination
    }

    fn options(&mut self) -> DestinationOptions {
        let defaults = DestinationOptions::default();
        let spool = self.flag();
        DestinationOptions {
            flush_ms: self.late(defaults.flush_ms),
            reconnect_ms: self.late(defaults.reconnect_ms),
            pickle: self.flag(),
            spool,
            spool_write_ahead: spool && self.flag(),
            spool_after_ms: self.late(defaults.spool_after_ms),
            spool_bytes_max: self.late(defaults.spool_bytes_max),
            spool_age_max_s: self.late(defaults.spool_age_max_s),
            replay: self.pick(&[Replay::InOrder, Replay::LiveFirst]),
            replay_rate: self.late(defaults.replay_rate),
            redo_ms: self.maybe(Self::number),
            redo_bytes: self.late(defaults.redo_bytes),
            when_full: self.pick(&[FullPolicy::DropNewest, FullPolicy::DropOldest, FullPolicy::Block]),
            block_max_ms: self.late(defaults.block_max_ms),
            connbuf_lines: self.late(defaults.connbuf_lines),
            iobuf_bytes: self.late(defaults.iobuf_bytes),
            spoolbuf_lines: self.late(defaults.spoolbuf_lines),
            spool_file_bytes_max: self.late(defaults.spool_file_bytes_max),
            spool_sync_every: self.late(defaults.spool_sync_every),
            spool_sync_period_ms: self.late(defaults.spool_sync_period_ms),
            spool_sleep_us: self.late(defaults.spool_sleep_us),
            unspool_sleep_us: self.late(defaults.unspool_sleep_us),
            write_timeout_ms: self.late(defaults.write_timeout_ms),
        }
    }

    fn grafana_net(&mut self) -> GrafanaNet {
        GrafanaNet {
            address: self.pick(&["https://h/metrics", "${ADDR}"]).into(),
            api_key: "${GRAFANA_NET_API_KEY}".into(),
            schemas_file: self.template(),
            aggregation_file: self.maybe(Self::template),
            ssl_verify: self.flag(),
            spool: self.flag(),
            blocking: self.flag(),
            concurrency: self.number(),
            buffer_metrics: self.number(),
            flush_metrics_max: self.number(),
            flush_wait_ms: self.number(),
            timeout_ms: self.number(),
            org_id: self.number(),
            backoff_min_ms: self.number(),
            backoff_factor: self.pick(&[1.0, 1.5, 2.25]),
        }
    }

    fn kafka_mdm(&mut self) -> KafkaMdm {
        KafkaMdm {
            brokers: vec!["b:9092".into(), "${BROKER}".into()],
            topic: self.template(),
            codec: self.pick(&["none", "gzip", "snappy"]).to_owned(),
            partitioning: self.pick(&[
                Partitioning::ByOrg,
                Partitioning::BySeries,
                Partitioning::BySeriesWithTags,
                Partitioning::BySeriesWithTagsFnv,
            ]),
            schemas_file: self.template(),
            org_id: self.number(),
            buffer_metrics: self.number(),
            flush_metrics_max: self.number(),
            flush_wait_ms: self.number(),
            timeout_ms: self.number(),
            blocking: self.flag(),
            tls: self.flag(),
            tls_skip_verify: self.flag(),
            tls_client_cert: self.maybe(Self::template),
            tls_client_key: self.maybe(Self::template),
            sasl_mechanism: self
                .maybe(|random| random.pick(&["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]).to_owned()),
            sasl_username: self.template(),
            sasl_password: "${KAFKA_PASSWORD}".into(),
        }
    }

    fn pub_sub(&mut self) -> PubSub {
        PubSub {
            project: self.template(),
            topic: self.template(),
            codec: self.pick(&["gzip", "none"]).to_owned(),
            format: self.pick(&["plain", "pickle"]).to_owned(),
            buffer_metrics: self.number(),
            flush_bytes_max: self.number(),
            flush_wait_ms: self.number(),
            blocking: self.flag(),
        }
    }

    fn cloud_watch(&mut self) -> CloudWatch {
        CloudWatch {
            region: self.template(),
            namespace: self.template(),
            profile: self.maybe(Self::template),
            dimensions: if self.flag() { Vec::new() } else { vec![(self.text(), "v".to_owned())] },
            storage_resolution: self.number(),
            buffer_metrics: self.number(),
            flush_metrics_max: self.number(),
            flush_wait_ms: self.number(),
            blocking: self.flag(),
        }
    }
}

fn intern(destinations: &mut Vec<Destination>, destination: Destination) -> DestinationIndex {
    let known = destinations.iter().position(|one| *one == destination);
    DestinationIndex::new(known.unwrap_or_else(|| {
        destinations.push(destination);
        destinations.len() - 1
    }))
}
