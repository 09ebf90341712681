FROM ruby:3.2-alpine
ARG SECRET_KEY_BASE=precompile_placeholder
RUN apk add --no-cache build-base postgresql-dev nodejs tzdata
WORKDIR /app
COPY Gemfile* ./
RUN bundle config set --local without 'development test' && bundle install -j4
COPY . .
RUN SECRET_KEY_BASE=dummy-for-build bundle exec rake assets:precompile
CMD ["bundle", "exec", "puma", "-C", "config/puma.rb"]
# expect: snapshotUnsafeBase line 1
