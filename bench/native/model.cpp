// SPDX-License-Identifier: Apache-2.0
// What SentenceEncoder of attn4j-transformers does with sentences that are tokens already: an encoder of the sizes of
// all-MiniLM-L6-v2 (arXiv:1810.04805) over sentences laid end to end, in passes of as many tokens, by the same calls in
// the same order, then mean pooling and length 1. Tokenizing is not part of it: a library of others does that, called
// from Java. Weights and tokens are random. Some sentences are checked against doubles first. The limit is that of
// multiply-adds.
#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <random>
#include <set>
#include <vector>

#include "layers.h"
#include "operands.h"
#include "options.h"
#include "scenarios.h"

namespace {

using Floats = AlignedFloats;

constexpr int64_t layers = 6, width = 384, heads = 12, intermediate = 1536, vocabulary = 30522, positions = 512;
constexpr double norm_epsilon = 1e-12, length_epsilon = 1e-12;

// Of the first 32 sentences of the corpus that the scenario in Java takes.
constexpr const char* europarl =
    "20,69,83,70,41,31,36,37,28,18,39,37,30,30,48,74,95,15,52,86,3,69,48,47,98,45,88,10,114,33,27,55";

// Of an element of a vector of length 1 after all layers: seven times the largest error found.
constexpr double tolerance = 1e-6;

struct Norm {
    Floats gamma, beta;

    explicit Norm(unsigned seed) : gamma(normal(width, seed, 0.1f)), beta(normal(width, seed + 1, 0.1f)) {
        for (float& factor : gamma) ++factor;
    }
    void run(const Setting& setting, const float* x, float* out, int64_t rows) const {
        require(attn4j_layer_norm(x, width, nullptr, 0, gamma.data(), beta.data(), norm_epsilon, out, width, rows,
                                  width, setting.isa, setting.threads));
    }
    Doubles expected(Doubles x) const {
        const double mean = std::accumulate(x.begin(), x.end(), 0.0) / width;
        double variance = 0;
        for (const double number : x) variance += (number - mean) * (number - mean) / width;
        for (size_t i = 0; i < x.size(); ++i)
            x[i] = (x[i] - mean) / std::sqrt(variance + norm_epsilon) * gamma[i] + beta[i];
        return x;
    }
};

// The layout is that of the published file.
struct Layer {
    unsigned seed;
    Linear packed{width, 3 * width, ATTN4J_IN_OUT, seed}, joined{width, width, ATTN4J_IN_OUT, seed + 2};
    Norm attention_norm{seed + 4};
    Linear up{width, intermediate, ATTN4J_IN_OUT, seed + 6}, down{intermediate, width, ATTN4J_IN_OUT, seed + 8};
    Norm output_norm{seed + 10};
};

struct Encoder {
    Floats words = Draw(1).numbers(vocabulary * width, 1), places = Draw(2).numbers(positions * width, 1);
    Norm embedding_norm{3};
    std::vector<Layer> stack;

    Encoder() {
        for (unsigned layer = 0; layer < layers; ++layer) stack.push_back({100 * (layer + 1)});
    }
};

// Sentences [first, end) of so many tokens.
struct Pass {
    size_t first, end;
    int64_t tokens;
};

// As SentenceEncoder and BertEncoder share out sentences: as few passes as can be, about equally long, over no more
// sentences than are tokenized at once.
std::vector<Pass> share_out(const std::vector<int64_t>& lengths, int64_t most) {
    constexpr size_t tokenized_at_once = 512;
    std::vector<Pass> passes;
    for (size_t begin = 0; begin < lengths.size(); begin += tokenized_at_once) {
        const size_t end = std::min(lengths.size(), begin + tokenized_at_once);
        const int64_t all = std::accumulate(lengths.data() + begin, lengths.data() + end, int64_t{0});
        const int64_t count = (all + most - 1) / most, share = (all + count - 1) / count;
        Pass pass = {begin, begin, 0};
        for (; pass.end < end; ++pass.end) {
            if (pass.tokens > 0 && (pass.tokens >= share || pass.tokens + lengths[pass.end] > most)) {
                passes.push_back(pass);
                pass = {pass.end, pass.end, 0};
            }
            pass.tokens += lengths[pass.end];
        }
        passes.push_back(pass);
    }
    return passes;
}

// Working memory for up to `capacity` tokens, as PackedBatch has it: a linear layer's result takes the memory of the
// projections, which nothing needs after attention.
class Batch {
public:
    Batch(const Encoder& encoder, const Setting& setting, int64_t capacity)
        : encoder_(encoder),
          setting_(setting),
          ids_(static_cast<size_t>(capacity)),
          places_(ids_.size()),
          hidden_(ids_.size() * width),
          packed_(3 * hidden_.size()),
          context_(hidden_.size()),
          intermediate_(ids_.size() * intermediate),
          pooled_(hidden_.size()),
          plan_(packed_plan(setting, capacity, capacity, heads, width / heads, true)) {}
    ~Batch() { attn4j_plan_free(plan_); }
    Batch(const Batch&) = delete;

    // ids: of all sentences, end to end; vectors [sentences, width].
    void run(const Pass& pass, const std::vector<int64_t>& lengths, const int32_t* ids, float* vectors) {
        fill(pass, lengths, ids);
        const Setting& s = setting_;
        embed(encoder_.words, vocabulary, ids_, pass.tokens, false);
        embed(encoder_.places, positions, places_, pass.tokens, true);
        encoder_.embedding_norm.run(s, hidden_.data(), hidden_.data(), pass.tokens);
        for (const Layer& layer : encoder_.stack) {
            layer.packed.run(s, hidden_.data(), nullptr, packed_.data(), pass.tokens);
            attend();
            layer.joined.run(s, context_.data(), hidden_.data(), packed_.data(), pass.tokens);
            layer.attention_norm.run(s, packed_.data(), hidden_.data(), pass.tokens);
            layer.up.run(s, hidden_.data(), nullptr, intermediate_.data(), pass.tokens, ATTN4J_GELU);
            layer.down.run(s, intermediate_.data(), hidden_.data(), packed_.data(), pass.tokens);
            layer.output_norm.run(s, packed_.data(), hidden_.data(), pass.tokens);
        }
        const auto sentences = static_cast<int64_t>(pass.end - pass.first);
        require(attn4j_mean_pool(hidden_.data(), width, bounds_.data(), sentences, pooled_.data(), width, width, s.isa,
                                 s.threads));
        require(attn4j_normalize(pooled_.data(), width, length_epsilon, pooled_.data(), width, sentences, width, s.isa,
                                 s.threads));
        std::copy_n(pooled_.data(), sentences * width, vectors + static_cast<int64_t>(pass.first) * width);
    }

private:
    void fill(const Pass& pass, const std::vector<int64_t>& lengths, const int32_t* ids) {
        const int64_t start = std::accumulate(lengths.data(), lengths.data() + pass.first, int64_t{0});
        std::copy_n(ids + start, pass.tokens, ids_.data());
        bounds_.assign(1, 0);
        for (size_t i = pass.first; i < pass.end; ++i) {
            const auto first = places_.begin() + bounds_.back();
            std::iota(first, first + lengths[i], 0);
            bounds_.push_back(bounds_.back() + lengths[i]);
        }
    }

    void embed(const Floats& table, int64_t rows, const std::vector<int32_t>& ids, int64_t tokens, bool accumulate) {
        require(attn4j_embed(table.data(), rows, width, ids.data(), hidden_.data(), width, tokens, width, accumulate,
                             setting_.isa, setting_.threads));
    }

    void attend() {
        require(attn4j_plan_run(plan_, static_cast<int64_t>(bounds_.size()) - 1, 0, 0, packed_.data(),
                                packed_.data() + width, packed_.data() + 2 * width, context_.data(), nullptr, nullptr,
                                nullptr, bounds_.data(), bounds_.data(), nullptr, nullptr, nullptr, nullptr, nullptr,
                                nullptr, nullptr, nullptr, 0, nullptr));
    }

    const Encoder& encoder_;
    const Setting& setting_;
    std::vector<int32_t> ids_, places_;  // [tokens], the position of each in its sentence
    std::vector<int64_t> bounds_;        // [sentences + 1]
    Floats hidden_, packed_, context_;   // [tokens, width], [tokens, 3 width], [tokens, width]
    Floats intermediate_, pooled_;       // [tokens, intermediate], [sentences, width]
    attn4j_plan plan_;
};

// In powers of two, but no more than a pass may have.
int64_t capacity_of(const std::vector<Pass>& passes, int64_t most) {
    int64_t tokens = 0, capacity = 64;
    for (const Pass& pass : passes) tokens = std::max(tokens, pass.tokens);
    while (capacity < tokens) capacity *= 2;
    return std::min(most, capacity);
}

// The layer over the rows of one sentence.
void apply(const Layer& layer, std::vector<Doubles>& rows) {
    std::vector<Doubles> queries, keys_and_values;
    for (const Doubles& row : rows) {
        queries.push_back(layer.packed.expected(row, 0, width));
        keys_and_values.push_back(layer.packed.expected(row, width, 2 * width));
    }
    for (size_t i = 0; i < rows.size(); ++i) {
        const auto plus = [](Doubles x, const Doubles& residual) {
            std::transform(x.begin(), x.end(), residual.begin(), x.begin(), std::plus<>());
            return x;
        };
        const Doubles context = expected_heads(heads, queries[i], keys_and_values).out;
        const Doubles attended = layer.attention_norm.expected(plus(layer.joined.expected(context, 0, width), rows[i]));
        Doubles inside = layer.up.expected(attended, 0, intermediate);
        for (double& x : inside) x *= 0.5 * std::erfc(-x / std::sqrt(2.0));
        rows[i] = layer.output_norm.expected(plus(layer.down.expected(inside, 0, width), attended));
    }
}

// The vector of a sentence.
Doubles expected_vector(const Encoder& encoder, const int32_t* ids, int64_t length) {
    std::vector<Doubles> rows;
    for (int64_t t = 0; t < length; ++t) {
        const float* const word = encoder.words.data() + ids[t] * width;
        Doubles row(word, word + width);
        for (int64_t i = 0; i < width; ++i)
            row[static_cast<size_t>(i)] += encoder.places[static_cast<size_t>(t * width + i)];
        rows.push_back(encoder.embedding_norm.expected(row));
    }
    for (const Layer& layer : encoder.stack) apply(layer, rows);
    Doubles vector(width);
    for (const Doubles& row : rows)
        std::transform(row.begin(), row.end(), vector.begin(), vector.begin(), std::plus<>());
    const double norm = std::sqrt(std::inner_product(vector.begin(), vector.end(), vector.begin(), 0.0));
    for (double& number : vector) number /= norm;
    return vector;
}

// Of the first, the longest and the last sentence.
double max_error(const Encoder& encoder, const std::vector<int64_t>& lengths, const std::vector<int32_t>& ids,
                 const Floats& vectors) {
    const auto longest = std::max_element(lengths.begin(), lengths.end()) - lengths.begin();
    double worst = 0;
    for (const int64_t sentence : std::set<int64_t>{0, longest, static_cast<int64_t>(lengths.size()) - 1}) {
        const int64_t start = std::accumulate(lengths.begin(), lengths.begin() + sentence, int64_t{0});
        const Doubles expected = expected_vector(encoder, ids.data() + start, lengths[static_cast<size_t>(sentence)]);
        for (int64_t i = 0; i < width; ++i)
            worst = std::max(worst, checked_error(expected[static_cast<size_t>(i)],
                                                  vectors[static_cast<size_t>(sentence * width + i)], tolerance));
    }
    return worst;
}

double flops(const std::vector<int64_t>& lengths) {
    double all = 0;
    for (const int64_t length : lengths) {
        const auto tokens = static_cast<double>(length);
        all += layers * (tokens * 2 * width * (4 * width + 2 * intermediate) + 4 * tokens * tokens * width);
    }
    return all;
}

}  // namespace

int run_model(int argc, char** argv) {
    const Options options(argc, argv, {"lengths", "dtype", "threads", "isa", "seconds"}, {});
    const std::vector<int64_t> lengths = options.numbers("lengths", europarl, 1, positions);
    const Setting setting(options);
    require_f32(setting, "models");

    const int64_t tokens = std::accumulate(lengths.begin(), lengths.end(), int64_t{0});
    std::vector<int32_t> ids(static_cast<size_t>(tokens));
    std::mt19937 generator(4);
    for (int32_t& id : ids) id = static_cast<int32_t>(generator() % vocabulary);
    const Encoder encoder;
    const int64_t most = std::max<int64_t>(512 * std::max(2, setting.threads), positions);
    Batch batch(encoder, setting, capacity_of(share_out(lengths, most), most));
    Floats vectors(lengths.size() * width);
    const auto call = [&] {
        for (const Pass& pass : share_out(lengths, most)) batch.run(pass, lengths, ids.data(), vectors.data());
    };
    call();
    const double error = max_error(encoder, lengths, ids, vectors);
    const Measurement measured =
        measure(setting.isa, ATTN4J_F32, setting.threads, setting.seconds, flops(lengths), call);
    std::printf("{\"scenario\": \"model\", \"sentences\": %lld, \"tokens\": %lld, ",
                static_cast<long long>(lengths.size()), static_cast<long long>(tokens));
    print_measurement(setting, measured, error);
    return 0;
}
