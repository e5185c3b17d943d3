//! `addRoute`, for every type that the command language has.
//!
//! Values are checked like the keys of a `[[route]]` of the same type.

use super::{
    Command, CommandError, CommandErrorKind, NewRoute,
    parse::{Cursor, RouteOptions, matcher, number},
    words::Word,
};
use crate::config::{
    destinations::{self, Written},
    routes::{self, RouteType},
};
use relay_runtime::table::{GrafanaNet, KafkaMdm, Late, PubSub, Template};

const CARBON: &str =
    "addRoute <type> <key> [<matcher>=…] [stop=true|false]  <destination>  [<destination> …]";
const GRAFANA_NET: &str =
    "addRoute grafanaNet <key> [<matcher>=…]  <addr> <apiKey> <schemasFile> [<option>=…]";
const KAFKA_MDM: &str = "addRoute kafkaMdm <key> [<matcher>=…]  <broker,broker> <topic> <codec> <schemasFile> <partitionBy> <orgId> [<option>=…]";
const PUBSUB: &str = "addRoute pubsub <key> [<matcher>=…]  <project> <topic> [<option>=…]";

/// Reads the words after `addRoute`.
pub(super) fn add_route(cursor: &mut Cursor<'_>) -> Result<Command, CommandError> {
    let place = cursor.peek().map_or(cursor.end..cursor.end, |word| word.range.clone());
    let name = cursor.peek().map(|word| word.text.clone()).unwrap_or_default();
    let route_type = RouteType::parse(&name)
        .filter(|route_type| *route_type != RouteType::CloudWatch)
        .ok_or_else(|| CommandErrorKind::UnknownCommand { word: format!("addRoute {name}") }.at(place))?;
    cursor.at += 1;
    let key = cursor.plain(CARBON, "the route's key")?.text.clone();
    let RouteOptions { conditions, stop } = cursor.route_options(CARBON)?;
    let (matcher, stop) = (matcher(conditions), stop.unwrap_or(false));
    match cursor.peek() {
        Some(word) if !word.is_separator() => {
            return Err(CommandErrorKind::UnknownOption { word: word.text.clone() }.at(word.range.clone()));
        }
        Some(_) => cursor.at += 1,
        None => {}
    }
    let kind = match route_type {
        RouteType::GrafanaNet => NewRoute::GrafanaNet(Box::new(grafana_net(cursor)?)),
        RouteType::KafkaMdm => NewRoute::KafkaMdm(Box::new(kafka_mdm(cursor)?)),
        RouteType::PubSub => NewRoute::PubSub(Box::new(pub_sub(cursor)?)),
        carbon => NewRoute::Carbon(carbon, carbon_destinations(cursor, carbon, &name)?),
    };
    Ok(Command::AddRoute { key, matcher, stop, kind })
}

fn carbon_destinations(
    cursor: &Cursor<'_>,
    route_type: RouteType,
    written: &str,
) -> Result<Vec<Written>, CommandError> {
    let mut found = Vec::new();
    let groups = cursor.words[cursor.at.min(cursor.words.len())..].split(Word::is_separator);
    for group in groups.filter(|group| !group.is_empty()) {
        let words: Vec<_> = group
            .iter()
            .map(|word| destinations::Word { text: word.text.clone(), range: word.range.clone() })
            .collect();
        let written = destinations::parse_words(&words, cursor.end)
            .map_err(|errors| first_error(errors, cursor.end))?;
        if !written.matcher.is_empty() && !route_type.takes_matchers() {
            return Err(CommandErrorKind::MatcherNotAllowed.at(group[0].range.clone()));
        }
        found.push(written);
    }
    let needed = route_type.destinations_min(written);
    if found.len() < needed {
        return Err(CommandErrorKind::TooFewDestinations { needed }.at(cursor.end..cursor.end));
    }
    Ok(found)
}

fn first_error(errors: Vec<destinations::DestinationError>, end: usize) -> CommandError {
    match errors.into_iter().next() {
        Some(error) => CommandErrorKind::Destination(error.kind).at(error.range),
        None => CommandErrorKind::Usage { usage: CARBON, expected: "a destination" }.at(end..end),
    }
}

/// The options `name=value` at the end of a command.
struct Options<'a> {
    usage: &'static str,
    words: Vec<(&'a str, &'a str, &'a Word)>,
}

impl<'a> Options<'a> {
    fn read(cursor: &Cursor<'a>, usage: &'static str, known: &[&str]) -> Result<Self, CommandError> {
        let mut words = Vec::new();
        for word in &cursor.words[cursor.at.min(cursor.words.len())..] {
            match word.text.split_once('=') {
                Some((name, value)) if known.contains(&name) => {
                    if value.is_empty() {
                        let kind = CommandErrorKind::Usage { usage, expected: "a value after `=`" };
                        return Err(kind.at(word.range.clone()));
                    }
                    words.push((name, value, word));
                }
                _ => {
                    return Err(
                        CommandErrorKind::UnexpectedWord { word: word.text.clone() }.at(word.range.clone())
                    );
                }
            }
        }
        Ok(Self { usage, words })
    }

    fn get(&self, name: &str) -> Option<(&'a str, &'a Word)> {
        self.words.iter().rev().find(|(known, ..)| *known == name).map(|(_, value, word)| (*value, *word))
    }

    fn text(&self, name: &str) -> Option<Template> {
        self.get(name).map(|(value, _)| value.into())
    }

    fn flag(&self, name: &str, default: bool) -> Result<bool, CommandError> {
        let Some((value, word)) = self.get(name) else { return Ok(default) };
        let usage = CommandErrorKind::Usage { usage: self.usage, expected: "`true` or `false`" };
        value.parse().map_err(|_| usage.at(word.range.clone()))
    }

    /// 0 means the default, as in sections.
    fn number(&self, name: &str, default: u64) -> Result<Late<u64>, CommandError> {
        let Some((value, word)) = self.get(name) else { return Ok(default.into()) };
        let template = Template::from(value);
        if !template.is_closed() {
            return Ok(Late::AtStart(template));
        }
        let value =
            number(value, self.usage, "a whole number").map_err(|kind| kind.at(word.range.clone()))?;
        Ok(if value == 0 { default } else { value }.into())
    }

    fn org_id(&self) -> Result<Late<u64>, CommandError> {
        match self.get("orgId") {
            Some((value, word)) if value.bytes().all(|byte| byte == b'0') => {
                Err(CommandErrorKind::OutOfRange { expected: "at least 1" }.at(word.range.clone()))
            }
            _ => self.number("orgId", 1),
        }
    }

    fn choice(
        &self,
        name: &str,
        choices: &[&'static str],
        default: &'static str,
    ) -> Result<String, CommandError> {
        let Some((value, word)) = self.get(name) else { return Ok(default.to_owned()) };
        choose(value, choices, self.usage, word)
    }
}

fn choose(
    value: &str,
    choices: &[&'static str],
    usage: &'static str,
    word: &Word,
) -> Result<String, CommandError> {
    let kind = CommandErrorKind::Usage { usage, expected: "one of the possible values" };
    if choices.contains(&value) { Ok(value.to_owned()) } else { Err(kind.at(word.range.clone())) }
}

fn grafana_net(cursor: &mut Cursor<'_>) -> Result<GrafanaNet, CommandError> {
    let address = cursor.plain(GRAFANA_NET, "the URL")?;
    let template = Template::from(address.text.as_str());
    if template.is_closed() && !routes::is_metrics_url(&address.text) {
        let kind =
            CommandErrorKind::Usage { usage: GRAFANA_NET, expected: "a URL whose path ends in `/metrics`" };
        return Err(kind.at(address.range.clone()));
    }
    let api_key = cursor.plain(GRAFANA_NET, "the API key")?.text.as_str().into();
    let schemas_file = cursor.plain(GRAFANA_NET, "the schemas file")?.text.as_str().into();
    let options = Options::read(cursor, GRAFANA_NET, crate::config::keys::GRAFANA_NET)?;
    let factor = match options.get("errBackoffFactor") {
        None => 1.5,
        Some((value, word)) => {
            let kind = CommandErrorKind::Usage { usage: GRAFANA_NET, expected: "a number of at least 1" };
            value
                .parse()
                .ok()
                .filter(|factor: &f64| factor.is_finite() && *factor >= 1.0)
                .ok_or_else(|| kind.at(word.range.clone()))?
        }
    };
    Ok(GrafanaNet {
        address: template,
        api_key,
        schemas_file,
        aggregation_file: options.text("aggregationFile"),
        ssl_verify: options.flag("sslverify", true)?,
        spool: options.flag("spool", false)?,
        blocking: options.flag("blocking", false)?,
        concurrency: options.number("concurrency", 100)?,
        buffer_metrics: options.number("bufSize", 10_000_000)?,
        flush_metrics_max: options.number("flushMaxNum", 5_000)?,
        flush_wait_ms: options.number("flushMaxWait", 500)?,
        timeout_ms: options.number("timeout", 10_000)?,
        org_id: options.org_id()?,
        backoff_min_ms: options.number("errBackoffMin", 100)?,
        backoff_factor: factor,
    })
}

fn kafka_mdm(cursor: &mut Cursor<'_>) -> Result<KafkaMdm, CommandError> {
    let brokers = cursor.plain(KAFKA_MDM, "the brokers, separated by commas")?;
    let brokers = brokers.text.split(',').filter(|broker| !broker.is_empty()).map(Template::from).collect();
    let topic = cursor.plain(KAFKA_MDM, "the topic")?.text.as_str().into();
    let codec = cursor.plain(KAFKA_MDM, "the codec")?;
    let codec = choose(&codec.text, &["none", "gzip", "snappy"], KAFKA_MDM, codec)?;
    let schemas_file = cursor.plain(KAFKA_MDM, "the schemas file")?.text.as_str().into();
    let word = cursor.plain(KAFKA_MDM, "partitionBy")?;
    let kind = CommandErrorKind::Usage {
        usage: KAFKA_MDM,
        expected: "`byOrg`, `bySeries`, `bySeriesWithTags` or `bySeriesWithTagsFnv`",
    };
    let partitioning = routes::partitioning_named(&word.text).ok_or_else(|| kind.at(word.range.clone()))?;
    let place = cursor.peek().map_or(cursor.end..cursor.end, |word| word.range.clone());
    let org_id = cursor.number(KAFKA_MDM, "the organisation, at least 1")?;
    if org_id == 0 {
        return Err(CommandErrorKind::OutOfRange { expected: "at least 1" }.at(place));
    }
    let options = Options::read(cursor, KAFKA_MDM, crate::config::keys::KAFKA_MDM)?;
    let mechanism = options.choice("saslMechanism", &["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"], "PLAIN")?;
    Ok(KafkaMdm {
        brokers,
        topic,
        codec,
        partitioning,
        schemas_file,
        org_id: org_id.into(),
        buffer_metrics: options.number("bufSize", 10_000_000)?,
        flush_metrics_max: options.number("flushMaxNum", 10_000)?,
        flush_wait_ms: options.number("flushMaxWait", 500)?,
        timeout_ms: options.number("timeout", 2_000)?,
        blocking: options.flag("blocking", false)?,
        tls: options.flag("tlsEnabled", false)?,
        tls_skip_verify: options.flag("tlsSkipVerify", false)?,
        tls_client_cert: options.text("tlsClientCert"),
        tls_client_key: options.text("tlsClientKey"),
        sasl_mechanism: options.flag("saslEnabled", false)?.then_some(mechanism),
        sasl_username: options.text("saslUsername").unwrap_or_default(),
        sasl_password: options.text("saslPassword").unwrap_or_default(),
    })
}

fn pub_sub(cursor: &mut Cursor<'_>) -> Result<PubSub, CommandError> {
    let project = cursor.plain(PUBSUB, "the project")?.text.as_str().into();
    let topic = cursor.plain(PUBSUB, "the topic")?.text.as_str().into();
    let options = Options::read(cursor, PUBSUB, crate::config::keys::PUBSUB)?;
    Ok(PubSub {
        project,
        topic,
        codec: options.choice("codec", &["gzip", "none"], "gzip")?,
        format: options.choice("format", &["plain", "pickle"], "plain")?,
        buffer_metrics: options.number("bufSize", 10_000_000)?,
        flush_bytes_max: options.number("flushMaxSize", 9_995_904)?,
        flush_wait_ms: options.number("flushMaxWait", 1_000)?,
        blocking: options.flag("blocking", false)?,
    })
}
