//! Writes the static with which one scan of a name finds all candidates among the rules. How it is searched
//! is in relay-runtime's `matching`.

use super::{
    data::Data,
    tables::{AutomatonTable, HashedTable, IndexTable, PrefixTable, SkipTable, SubstringTable, TrieTable},
};
use proc_macro2::TokenStream;
use quote::quote;

pub(super) fn emit(index: &IndexTable, data: &mut Data) -> TokenStream {
    let prefixes = match &index.prefixes {
        None => quote!(Prefixes::None),
        Some(PrefixTable::Hashed(table)) => {
            let table = emit_hashed(table, "PREFIX", "prefix", data);
            quote!(Prefixes::Hashed(#table))
        }
        Some(PrefixTable::Trie(table)) => {
            let table = emit_trie(table, data);
            quote!(Prefixes::Trie(#table))
        }
    };
    let substrings = match &index.substrings {
        None => quote!(Substrings::None),
        Some(SubstringTable::Automaton(table)) => {
            let table = emit_automaton(table, data);
            quote!(Substrings::Automaton(#table))
        }
        Some(SubstringTable::Skips(table)) => {
            let table = emit_skips(table, data);
            quote!(Substrings::Skips(#table))
        }
    };
    let prefix_rules =
        data.add("PREFIX_RULES", "Where the rules of each prefix start.", &index.prefix_rules.0);
    let substring_rules =
        data.add("SUBSTRING_RULES", "Where the rules of each substring start.", &index.substring_rules.0);
    let rules = data.add("WAITING_RULES", "The rules that are guarded by literals.", &index.rules.0);
    let always = data.add("ALWAYS_RULES", "The rules without a guard.", &index.always.0);
    quote! {
        /// Which rules are guarded by which literals.
        static INDEX: Index<'static> = Index {
            prefixes: #prefixes,
            prefix_rules: Words::new(#prefix_rules),
            substrings: #substrings,
            substring_rules: Words::new(#substring_rules),
            rules: Words::new(#rules),
            always: Words::new(#always),
        };
    }
}

fn emit_hashed(table: &HashedTable, prefix: &str, what: &str, data: &mut Data) -> TokenStream {
    let HashedTable { lengths, lengths_dotted, .. } = table;
    let mut add = |part: &str, doc: &str, bytes| data.add(&format!("{prefix}_{part}"), doc, bytes);
    let slots = add("SLOTS", &format!("Hash table: fingerprint and {what} plus one."), &table.slots.0);
    let plural = if what.ends_with('x') { "es" } else { "s" };
    let bytes = add("BYTES", &format!("All {what}{plural}."), &table.literals.bytes);
    let starts = add("STARTS", &format!("Where each {what} starts."), &table.literals.starts.0);
    quote! {
        HashedPrefixes {
            lengths: #lengths,
            lengths_dotted: #lengths_dotted,
            slots: Pairs::new(#slots),
            literals: Arena::new(#bytes, Words::new(#starts)),
        }
    }
}

fn emit_trie(table: &TrieTable, data: &mut Data) -> TokenStream {
    let labels = data.add("TRIE_LABELS", "The bytes on the way into each node.", &table.labels.bytes);
    let label_starts = data.add("TRIE_LABEL_STARTS", "Where each label starts.", &table.labels.starts.0);
    let ends = data.add("TRIE_ENDS", "The prefix that ends at each node, plus one.", &table.ends.0);
    let branches = data.add("TRIE_BRANCHES", "The first bytes of children.", &table.branches.bytes);
    let branch_starts =
        data.add("TRIE_BRANCH_STARTS", "Where each node's branches start.", &table.branches.starts.0);
    let starts = data.add("TRIE_STARTS", "Where each node's children start.", &table.starts.0);
    let children = data.add("TRIE_CHILDREN", "Child nodes.", &table.children.0);
    quote! {
        TriePrefixes {
            labels: Arena::new(#labels, Words::new(#label_starts)),
            ends: Words::new(#ends),
            branches: Arena::new(#branches, Words::new(#branch_starts)),
            starts: Words::new(#starts),
            children: Words::new(#children),
        }
    }
}

fn emit_automaton(table: &AutomatonTable, data: &mut Data) -> TokenStream {
    let number = |number: usize| proc_macro2::Literal::usize_unsuffixed(number);
    let (stride, first_end) = (number(table.stride), number(table.first_end));
    let classes = data.add("SUBSTRING_CLASSES", "The class of each byte.", &table.classes);
    let rows = data.add("SUBSTRING_ROWS", "The next state by state and class.", &table.rows.0);
    let ends =
        data.add("SUBSTRING_ENDS", "Where the substrings that end in each state start.", &table.ends.0);
    let ended = data.add("SUBSTRING_ENDED", "Substrings by the states where they end.", &table.ended.0);
    quote! {
        Automaton {
            classes: Automaton::classes(#classes),
            rows: Words::new(#rows),
            stride: #stride,
            first_end: #first_end,
            ends: Words::new(#ends),
            ended: Words::new(#ended),
        }
    }
}

fn emit_skips(table: &SkipTable, data: &mut Data) -> TokenStream {
    let window = proc_macro2::Literal::usize_unsuffixed(table.window);
    let place_bits = proc_macro2::Literal::u32_unsuffixed(table.place_bits);
    let shifts = data.add("SUBSTRING_SHIFTS", "How far a window may move, by its last bytes.", &table.shifts);
    let texts = emit_hashed(&table.texts, "SUBSTRING", "substring", data);
    quote! {
        Skips {
            shifts: #shifts,
            place_bits: #place_bits,
            window: #window,
            texts: #texts,
        }
    }
}
